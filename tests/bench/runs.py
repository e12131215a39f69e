"""What a run object says of times."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def ledger_seconds(run: Mapping[str, Any]) -> float:
    """Return the seconds from a run's acceptance to its end, as the ledger has them."""
    return (instant(run["finished_at"]) - instant(run["created_at"])).total_seconds()


def instant(text: str) -> datetime:
    """Return an instant that an answer told."""
    return datetime.fromisoformat(text)
