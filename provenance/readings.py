"""What a record says of the sources that its stage has read: how much, as of when, how late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from provenance.record import Record

_UNITS = ((2 * 86400, 86400, "days"), (7200, 3600, "h"), (120, 60, "min"), (1, 1, "s"))
"""From how many seconds on which unit is told."""


@dataclass(frozen=True)
class Reading:
    """One query that was carried out at a source."""

    source: str
    """Its name in the manifest."""
    rows: int | None
    as_of: datetime | None
    """The source's own clock when what is seen was fixed."""
    complete_to: datetime | None
    """Up to when the source had its data then; null where it does not say."""
    text: str
    """The query."""

    @property
    def lag(self) -> timedelta | None:
        """How far the source was behind; null where it does not say."""
        if self.as_of is None or self.complete_to is None:
            return None
        return max(self.as_of - self.complete_to, timedelta())

    @property
    def behind(self) -> str:
        """How late the source was, in words: ``3 min behind``; empty where it was not."""
        seconds = self.lag.total_seconds() if self.lag else 0.0
        for least, unit, word in _UNITS:
            if seconds >= least:
                return f"{int(seconds // unit):,} {word} behind"
        return ""


def readings(record: Record) -> tuple[Reading, ...]:
    """Return what *record* says of queries, in their order; of other stages than SQL, nothing."""
    told = record.extra.get("queries") or ()
    return tuple(_reading(record, query) for query in told if isinstance(query, Mapping))


def _reading(record: Record, query: Mapping[str, Any]) -> Reading:
    rows = query.get("rows")
    return Reading(
        source=str(query.get("source") or record.code.get("source") or ""),
        rows=rows if isinstance(rows, int) else None,
        as_of=_instant(query.get("as_of")),
        complete_to=_instant(query.get("replayed_to")),
        text=str(query.get("text") or ""),
    )


def _instant(told: object) -> datetime | None:
    """Return the instant, or None where a record of another version has none that we read."""
    try:
        found = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None
