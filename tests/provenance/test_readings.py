from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provenance.readings import Reading, readings
from provenance.record import Record

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECORD = Record("sql", "departures", "k" * 64, {}, (), {}, {"source": "replica"}, {}, (), {})
QUERY = {
    "text": "SELECT 1",
    "source": "replica",
    "rows": 26_398,
    "as_of": "2026-03-01T12:00:00+00:00",
    "replayed_to": "2026-03-01T13:57:30+02:00",
}


def read(*queries: Any) -> tuple[Reading, ...]:
    return readings(replace(RECORD, extra={"queries": list(queries)}))


def test_a_reading_tells_rows_instant_and_how_late_the_source_was() -> None:
    (found,) = read(QUERY)
    assert (found.source, found.rows, found.text) == ("replica", 26_398, "SELECT 1")
    assert found.as_of == AT
    assert found.complete_to == AT - timedelta(seconds=150)
    assert found.lag == timedelta(seconds=150)
    assert found.behind == "2 min behind"


def test_a_source_that_says_nothing_is_neither_late_nor_in_time() -> None:
    (found,) = read(QUERY | {"replayed_to": None})
    assert (found.complete_to, found.lag, found.behind) == (None, None, "")


def test_a_source_that_is_complete_beyond_the_instant_is_not_late() -> None:
    (found,) = read(QUERY | {"replayed_to": "2026-03-02T00:00:00+00:00"})
    assert (found.lag, found.behind) == (timedelta(), "")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, ""),
        (1, "1 s behind"),
        (119, "119 s behind"),
        (7199, "119 min behind"),
        (7200, "2 h behind"),
        (86400 * 30, "30 days behind"),
    ],
)
def test_how_late_a_source_was_is_told_in_one_unit(seconds: float, said: str) -> None:
    assert Reading("replica", 1, AT, AT - timedelta(seconds=seconds), "").behind == said


def test_records_of_other_versions_are_read_as_far_as_they_go() -> None:
    (found,) = read({"rows": "many", "as_of": "noon", "replayed_to": "2026-03-01T12:00:00"})
    assert found == Reading("replica", None, None, None, "")
    assert read("SELECT 1") == ()
    assert readings(RECORD) == ()
