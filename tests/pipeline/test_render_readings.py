"""What the colophon tells of the sources that stages have read."""

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from pipeline.rendering.colophon import Colophon, StageLine
from provenance.readings import Reading
from tests.pipeline.report_pages import ATTACK, KEY, Elements, code, colophon, report

AT = datetime(2026, 11, 21, 0, 10, tzinfo=UTC)
LATE = Reading("replica", 26398, AT, AT - timedelta(hours=3), "SELECT 1")
SILENT = Reading("elsewhere", None, AT, None, "SELECT 2")
WHOLE = Reading("primary", 1, AT, AT, "SELECT 3")


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_rows_source_instant_and_lag_are_told_by_stage() -> None:
    read = (
        StageLine("departures", KEY, "executed", (LATE, SILENT)),
        StageLine("features", KEY, "executed"),
        StageLine("arrivals", KEY, "reused", (WHOLE,)),
    )
    told = words(report(code("1"), stages=read).split("Read from sources")[1])
    at = "as of 21 November 2026, 00:10 UTC"
    for text in (
        f"departures: 26,398 rows from replica, {at} ; it had its data up to",
        "it had its data up to 20 November 2026, 21:10 UTC , 3 h behind",
        f"departures: elsewhere, {at} ; it does not say up to when it had its data",
        f"arrivals: 1 row from primary, {at} ; it had all its data",
    ):
        assert text in told, text
    assert "features" not in told


def test_where_no_source_was_read_nothing_is_told() -> None:
    assert "Read from sources" not in report(code("1"))


def test_the_name_of_a_source_is_inert() -> None:
    hostile = Reading(ATTACK, 1, AT, None, ATTACK)
    stages = (StageLine("departures", KEY, "reused", (hostile,)),)
    page = report(code("1"), stages=stages)
    assert "alert(1)" in page
    assert Elements(page).all("img") == []


def test_the_runner_is_given_readings_as_they_are() -> None:
    page = colophon(stages=(StageLine("a", KEY, "reused", (LATE, SILENT)),))
    sent = json.loads(json.dumps(asdict(page), default=str))
    assert TypeAdapter(Colophon).validate_python(sent) == page
