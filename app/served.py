"""The address at which this home was served last: links of commands lead there."""

from pathlib import Path

from provenance.errors import ProvenoteError
from provenance.files import write_durably

_FILE = "address"


def remember_address(home: Path, address: str) -> None:
    """Note that the pages of *home* are served at *address*, where there is room to."""
    if served_address(home) == address:
        return
    try:
        write_durably(home / _FILE, f"{address}\n".encode())
    except (OSError, ProvenoteError) as error:
        import structlog

        log = structlog.get_logger(__name__)
        log.warning("links of commands may lead elsewhere", home=str(home), error=str(error))


def served_address(home: Path) -> str | None:
    """Return where the pages of *home* were served last, or None where nobody can tell."""
    try:
        return (home / _FILE).read_text().strip() or None
    except (OSError, UnicodeDecodeError):
        return None
