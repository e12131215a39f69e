"""Ledgers in SQLite that are ready at once: migrated a single time, copied for each test."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from provenance.ledger.engine import Ledger
from provenance.ledger.migrate import upgrade


def sqlite_ledger(file: Path) -> Ledger:
    """Return a ledger in *file*, which is made, with its tables and nothing in them."""
    file.write_bytes(_migrated())
    return Ledger(f"sqlite:///{file}")


@cache
def _migrated() -> bytes:
    with TemporaryDirectory(prefix="provenote-test-") as folder:
        file = Path(folder) / "ledger.sqlite"
        ledger = Ledger(f"sqlite:///{file}")
        upgrade(ledger)
        ledger.close()
        return file.read_bytes()
