"""Our own facet of OpenLineage run events: what their standard facets have no place for."""

from typing import Any

from provenance.story import Story

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_JOB = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "status": {"type": "string", "enum": ["executed", "reused"]},
        "key": _TEXT,
        "record": _TEXT_OR_NULL,
    },
    "required": ["name", "status", "key", "record"],
}
_METRIC = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "value": {"type": ["number", "null"]},
        "unit": _TEXT_OR_NULL,
        "better": _TEXT_OR_NULL,
    },
    "required": ["name", "value"],
}
_CHECK = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}, "message": _TEXT},
    "required": ["ok", "message"],
}
RUN_FACET_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "provenote run facet",
    "type": "object",
    "properties": {
        "_producer": {"type": "string", "format": "uri"},
        "_schemaURL": {"type": "string", "format": "uri"},
        "run": {**_TEXT, "description": "Id of the run in provenote."},
        "page": {"type": "string", "format": "uri", "description": "Where people look at it."},
        "verdict": {**_TEXT_OR_NULL, "description": "How it ended."},
        "trigger": {**_TEXT, "description": "What asked for it."},
        "actor": {**_TEXT, "description": "Who asked for it."},
        "params": {"type": "object", "description": "Every parameter with its value."},
        "key": {**_TEXT_OR_NULL, "description": "Equal keys mean equal results."},
        "record": {**_TEXT_OR_NULL, "description": "Record id of the report."},
        "reused_from": {**_TEXT_OR_NULL, "description": "The run that made a reused result."},
        "jobs": {"type": "array", "items": _JOB},
        "metrics": {"type": "array", "items": _METRIC},
        "checks": {"type": "array", "items": _CHECK},
    },
    "required": ["_producer", "_schemaURL", "run", "page", "verdict", "params", "jobs"],
}


def run_facet(story: Story, page: str) -> dict[str, Any]:
    """Return the facet's content, without what every facet has."""
    run = story.run
    return {
        "run": run.id,
        "page": page,
        "verdict": run.verdict,
        "trigger": run.trigger,
        "actor": run.actor,
        "params": dict(run.params),
        "key": run.key,
        "record": run.record_id,
        "reused_from": run.reused_from,
        "jobs": [
            {"name": job.name, "status": job.status, "key": job.key, "record": job.record_id}
            for job in story.jobs
        ],
        "metrics": [vars(metric) for metric in story.metrics],
        "checks": [{"ok": ok, "message": message} for ok, message in story.checks],
    }
