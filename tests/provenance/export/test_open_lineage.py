"""OpenLineage events have the shape that the specification asks for, and tell what happened."""

import uuid
from datetime import datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from provenance.export.open_lineage import lineage_id, run_events
from provenance.export.run_facet import RUN_FACET_SCHEMA
from provenance.export.subject import as_uri
from provenance.ledger.ids import new_id

URI = {"type": "string", "format": "uri", "pattern": "^[a-z][a-z0-9+.-]*:.+"}
FACETS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {"_producer": URI, "_schemaURL": URI},
        "required": ["_producer", "_schemaURL"],
    },
}
NAMED = {
    "type": "object",
    "properties": {
        "namespace": {"type": "string", "minLength": 1},
        "name": {"type": "string", "minLength": 1},
        "facets": FACETS,
        "outputFacets": FACETS,
    },
    "required": ["namespace", "name"],
    "additionalProperties": False,
}
EVENT = {
    "type": "object",
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": {"type": "string", "format": "date-time"},
        "producer": URI,
        "schemaURL": URI,
        "job": NAMED,
        "run": {
            "type": "object",
            "properties": {"runId": {"type": "string", "format": "uuid"}, "facets": FACETS},
            "required": ["runId"],
            "additionalProperties": False,
        },
        "inputs": {"type": "array", "items": NAMED},
        "outputs": {"type": "array", "items": NAMED},
    },
    "required": ["eventType", "eventTime", "producer", "schemaURL", "job", "run"],
    "additionalProperties": False,
}
"""The parts of the specification's RunEvent that an event of ours has."""


GUIDE = Path(__file__).parents[3] / "docs" / "exports.md"


def check(schema, document) -> None:
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(document)


@pytest.fixture
def events(subject_of):
    return run_events(subject_of())


def by_job(events, kind="COMPLETE"):
    return {e["job"]["name"].partition(".")[2]: e for e in events if e["eventType"] == kind}


def test_each_event_has_the_shape_of_the_specification(events) -> None:
    for event in events:
        check(EVENT, event)
        uuid.UUID(event["run"]["runId"])
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None


def test_what_ran_is_told_in_its_order_and_what_was_reused_is_not(events) -> None:
    told = [(e["eventType"], e["job"]["name"].partition(".")[2]) for e in events]
    assert told == [
        ("START", "daily"),
        ("START", "daily.features"),
        ("COMPLETE", "daily.features"),
        ("COMPLETE", "daily"),
    ]
    assert [e["eventTime"] for e in events] == sorted(e["eventTime"] for e in events)
    assert len({e["run"]["runId"] for e in events}) == 2


def test_a_stage_has_the_run_as_its_parent(events) -> None:
    run, stage = by_job(events)["daily"], by_job(events)["daily.features"]
    parent = stage["run"]["facets"]["parent"]
    assert parent["run"]["runId"] == run["run"]["runId"]
    assert parent["job"]["name"] == run["job"]["name"]


def test_inputs_and_outputs_meet_under_one_name(events) -> None:
    run, stage = by_job(events)["daily"], by_job(events)["daily.features"]
    project = run["job"]["name"].partition(".")[0]
    assert {found["name"] for found in stage["inputs"]} == {
        f"{project}/departures/output",
        "dataset:sold_items/2013-01-31",
    }
    assert {found["name"] for found in stage["outputs"]} == {f"{project}/features/output"}
    assert {found["name"] for found in run["inputs"]} == {
        "dataset:sold_items/2013-01-31",
        f"source:{project}/replica",
    }
    assert {found["name"] for found in run["outputs"]} == {
        f"{project}/daily/{name}" for name in ("notebook", "html", "file:maps/a b.csv")
    }
    assert {found["namespace"] for found in stage["inputs"]} == {"provenote://reports.example.org"}


def test_the_columns_of_a_batch_are_told(events) -> None:
    (batch,) = [
        found for found in by_job(events)["daily"]["inputs"] if found["name"].startswith("dataset:")
    ]
    assert batch["facets"]["schema"]["fields"] == [
        {"name": "item", "type": "string"},
        {"name": "n", "type": "int64"},
    ]
    assert len(batch["facets"]["version"]["datasetVersion"]) == 64


def test_the_place_of_the_code_is_told(events) -> None:
    where = by_job(events)["daily"]["job"]["facets"]["sourceCodeLocation"]
    assert (where["type"], where["url"]) == ("git", "https://git.example.org/p.git")
    assert (where["version"], where["branch"]) == ("a" * 40, "main")


def test_our_own_facet_is_what_its_schema_says(events) -> None:
    facet = by_job(events)["daily"]["run"]["facets"]["provenote"]
    check(RUN_FACET_SCHEMA, facet)
    assert set(facet) == set(RUN_FACET_SCHEMA["properties"])
    assert facet["_schemaURL"] == "https://reports.example.org/api/v1/schemas/run-facet"
    assert facet["params"] == {"day": "2013-01-31", "n": 3}
    assert [(job["name"], job["status"]) for job in facet["jobs"]] == [
        ("departures", "reused"),
        ("features", "executed"),
        ("report", "executed"),
    ]
    assert facet["metrics"] == [{"name": "skill", "value": 0.5, "unit": "%", "better": None}]
    assert facet["checks"] == [{"ok": True, "message": "good"}]


@pytest.mark.parametrize("name", [n for n in RUN_FACET_SCHEMA["properties"] if n[0] != "_"])
def test_each_field_of_our_facet_is_in_the_guide(name: str) -> None:
    assert f"`{name}`" in GUIDE.read_text(encoding="utf-8").split("Our own facet of a run")[1]


def test_a_check_that_failed_is_no_failure_of_the_job(subject_of) -> None:
    assert run_events(subject_of("failed"))[-1]["eventType"] == "COMPLETE"


def test_a_run_that_came_to_nothing_fails_with_its_error(subject_of) -> None:
    error = {"message": "the cell raised", "traceback": "Traceback: line 1"}
    last = run_events(subject_of("error", error=error))[-1]
    check(EVENT, last)
    assert last["eventType"] == "FAIL"
    told = last["run"]["facets"]["errorMessage"]
    assert (told["message"], told["stackTrace"]) == ("the cell raised", "Traceback: line 1")


def test_ids_stay_different_as_uuids() -> None:
    ids = [new_id("run") for _ in range(1000)]
    assert len({lineage_id(name) for name in ids}) == 1000
    assert lineage_id(ids[0]) == lineage_id(ids[0].removeprefix("run_"))
    assert [lineage_id(name) for name in ids] == sorted(lineage_id(name) for name in ids)


@pytest.mark.parametrize(
    ("repository", "uri"),
    [
        ("https://git.example.org/p.git", "https://git.example.org/p.git"),
        ("git@git.example.org:team/p.git", "ssh://git.example.org/team/p.git"),
        ("/srv/git/a b.git", "file:///srv/git/a%20b.git"),
    ],
)
def test_a_repository_is_told_as_a_uri(repository: str, uri: str) -> None:
    assert as_uri(repository) == uri
