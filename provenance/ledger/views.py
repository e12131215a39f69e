"""The ledger's views: what each row is and what each column means.

The views themselves are made by migrations. Tests hold that they have these columns, that the
guide tells the same, and that each name can be written without quotes on every database.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """One view."""

    row: str
    """What one row of it is."""
    columns: Mapping[str, str]
    """What each column means, in their order."""


_OF_RUN = {
    "run": "id of the run",
    "project": "its project",
    "report": "its report",
    "case_key": "hash of the case: runs of one case across commits share it",
    "case_params": "JSON: the parameters that tell the case from others",
    "branch": "branch that was evaluated; null where none was named",
    "commit_sha": "commit that was evaluated",
    "purpose": "`reproduce` or `whatif`; null for a run like any other",
}
_WHEN = {
    "committed_at": "when the commit was made",
    "finished_at": "when the run ended; null while it has not",
}
_BATCH = {
    "kind": "`data` or `model`",
    "dataset": "name of the dataset or model",
    "partition": "its partition; `main` for a model",
}

VIEWS: Mapping[str, View] = {
    "v_runs": View(
        "a run",
        _OF_RUN
        | {
            "evaluation": "id of the evaluation that it belongs to",
            "status": "`queued`, `running`, `finished` or `dead`",
            "verdict": "how it ended; null while it has not",
            "params": "JSON: every parameter with its resolved value",
            "dirty": "hash of uncommitted changes; null for a commit as it is",
            "subject": "first line of the commit's message",
            "author": "the commit's author",
            "committed_at": "when the commit was made",
            "trigger": "what asked for it, such as `push` or `form`",
            "actor": "who asked for it",
            "reused": "1 where an earlier result was taken, else 0",
            "reused_from": "the run that made that result",
            "key": "execution key: equal keys mean equal results",
            "record": "record id of the report",
            "error": "JSON: what went wrong; null or JSON null where nothing did",
            "again_of": "the run that it reproduces or varies",
            "seconds": "seconds from its start to its publication",
            "created_at": "when it was asked for",
            "started_at": "when a worker began with it",
            "finished_at": "when it ended",
            "environment": "key of the environment that was prepared for it",
        },
    ),
    "v_metrics": View(
        "a metric of a run",
        _OF_RUN
        | _WHEN
        | {
            "name": "the metric",
            "value": "the number; null where it was not finite",
            "unit": "its unit, if one was given",
            "better": "`higher` or `lower`, if it was said",
        },
    ),
    "v_checks": View(
        "a check of a run",
        _OF_RUN
        | _WHEN
        | {
            "position": "counts the run's checks from 0",
            "ok": "1 where it passed, else 0",
            "message": "what was checked",
        },
    ),
    "v_jobs": View(
        "what a run did about one stage, or its report",
        _OF_RUN
        | {
            "position": "counts the run's jobs from 0",
            "stage": "the stage; `report` for the report itself",
            "key": "the job's key",
            "status": "`executed` or `reused`",
            "reason": "why it was executed, such as `code` or `new`; null where reused",
            "sentence": "the same as a sentence",
            "seconds": "seconds that it took",
            "record": "record id of its result",
        },
    ),
    "v_inputs": View(
        "a file that a report stood on",
        _OF_RUN
        | {
            "name": "the template's name for it",
            "sha256": "digest of its content",
            "size": "bytes",
            "media_type": "its media type",
            "producer": "the stage, dataset or model that it came from",
            "producer_key": "key of the job that made it",
            "batch": "id of the batch that it is, where it is one",
        },
    ),
    "v_batches": View(
        "a batch: one version of a partition of a dataset, or of a model",
        {
            "batch": "id of the batch",
            **_BATCH,
            "number": "counts the batches of a partition from 1",
            "state": "`committed`: a batch is written whole or not at all",
            "is_current": "1 for the batch that readers get now, else 0",
            "rows": "rows of a table; null where that is not known",
            "size": "bytes",
            "sha256": "digest of its content",
            "media_type": "its media type",
            "filename": "what it is called when it is downloaded",
            "schema_change": "what differs from the schema before; null where nothing does",
            "record": "record id of the job that made it; null for an import",
            "run": "the run that published it, if one did",
            "actor": "who published it",
            "created_at": "when it was written",
        },
    ),
    "v_pointer_events": View(
        "a move of the pointer that says which batch is current",
        {
            **_BATCH,
            "version": "counts the moves of a partition's pointer",
            "op": "`publish`, `rollback`, `promote` or `retire`",
            "from_batch": "the batch that was current before",
            "from_number": "its number",
            "to_batch": "the batch that is current since; null where none is",
            "to_number": "its number",
            "actor": "who moved it",
            "reason": "why, in their words",
            "run": "the run that moved it, if one did",
            "at": "when",
        },
    ),
    "v_environments": View(
        "a build of an environment",
        {
            "environment": "key of the environment",
            "source": "file that it is made from; `default` without one",
            "python": "version of its Python",
            "platform": "platform that it is for",
            "packages": "JSON: version by name of what is installed; null until a build succeeds",
            "build": "id of the build",
            "state": "`building`, `ready`, `failed`, `interrupted` or `collected`",
            "host": "machine that built it",
            "run": "the run that needed it; null where a command prepared it",
            "seconds": "seconds that it took",
            "size": "bytes of its files",
            "log": "digest of its log in the store",
            "error": "JSON: why it failed; null or JSON null where it did not",
            "started_at": "when it began",
            "finished_at": "when it ended",
            "collected_at": "when `provenote gc` cleared it away",
        },
    ),
    "v_uses": View(
        "something that a result of a run stands on, or that it made",
        _OF_RUN
        | {
            "stage": "the job of the run whose record tells of it",
            "record": "that record's id",
            "kind": "`file`, `input`, `output`, `package`, `batch` or `source`",
            "name": "path, name or id of it, by its kind",
            "digest": "digest of its content; the version of a package",
        },
    ),
    "v_reproductions": View(
        "an attempt to make a run again",
        _OF_RUN
        | {
            "reproduction": "id of the attempt",
            "again": "the run that did it; null where it could not begin",
            "answer": "`identical`, `within_tolerance`, `differs` or `cannot`",
            "sentence": "the same as a sentence",
            "actor": "who asked for it",
            "at": "when",
        },
    ),
}
