"""The address at which this home was served last: links of commands lead there."""

from pathlib import Path

from provenance.files import write_durably

_FILE = "address"


def remember_address(home: Path, address: str) -> None:
    """Note that the pages of *home* are served at *address*."""
    if served_address(home) != address:
        write_durably(home / _FILE, f"{address}\n".encode())


def served_address(home: Path) -> str | None:
    """Return where the pages of *home* were served last, or None if that never was."""
    try:
        return (home / _FILE).read_text().strip() or None
    except FileNotFoundError:
        return None
