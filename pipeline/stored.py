"""What users' code stored for publication through the SDK, taken over when its job has ended."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.results import MAX_RESULT_BYTES
from pipeline.untrusted import UntrustedFileError, keep_regular, read_regular, within
from pipeline.workplace import Workplace
from provenance.datasets.errors import InvalidNameError
from provenance.datasets.forms import ANYTHING, PARQUET
from provenance.datasets.names import check_dataset, check_partition
from provenance.store import Store
from provenance.text import storable

PRIVATE = ".provenote"
"""Folder below the outputs where the SDK puts what is to be published: no output by itself."""
_SUFFIXES = {"pickle": ".pkl", "joblib": ".joblib"}
_MOST_COLUMNS = 10_000
_MOST_STORED = 1_000
"""Frames and models of one job: each is a file to keep and a row of one transaction."""
_MOST_ROWS = 2**63 - 1
_DEEPEST = 64
"""Levels of lists and dicts: what is told is read and written again by much that recurses."""


class StoredError(Exception):
    """Raised when what code stored cannot be taken over: a name, or a file that is none."""


_UNREADABLE = (OSError, UntrustedFileError, KeyError, TypeError, ValueError, OverflowError)


def keep_stored(store: Store, place: Workplace) -> dict[str, Any]:
    """Keep the files of stored frames and models; return what the record tells of them.

    Of two for one partition, or one model, the last counts. Raises StoredError.
    """
    batches: dict[tuple[str, str], dict[str, Any]] = {}
    models: dict[str, dict[str, Any]] = {}
    for number, (kind, told) in enumerate(_lines(place.results)):
        if number == _MOST_STORED:
            raise StoredError(f"It stored more than {_MOST_STORED:,} frames and models.")
        try:
            _check(told)
            if kind == "batch":
                batch = _batch(storable(told))
                batches[batch["dataset"], batch["partition"]] = batch | _file(store, place, told)
            else:
                model = _model(storable(told))
                models[model["name"]] = model | _file(store, place, told)
        except InvalidNameError as error:
            raise StoredError(str(error)) from error
        except _UNREADABLE as error:
            raise StoredError(f"What it stored cannot be read: {error}.") from error
    found = {"batches": [*batches.values()], "models": [*models.values()]}
    return {name: items for name, items in found.items() if items}


def _lines(results: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        data = read_regular(results, MAX_RESULT_BYTES)
    except (FileNotFoundError, UntrustedFileError):
        return  # told where metrics and checks are read from it
    for line in data.decode(errors="replace").splitlines():
        try:
            body = json.loads(line)
        except (ValueError, RecursionError):
            continue
        for kind in ("batch", "model"):
            if isinstance(body, dict) and isinstance(body.get(kind), dict):
                yield kind, body[kind]


def _check(value: Any, levels: int = _DEEPEST) -> None:
    """Refuse what no JSON column takes, and what is nested so deep that readers would break."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no JSON value")
    if isinstance(value, dict | list):
        if not levels:
            raise ValueError(f"lists and dicts are nested more than {_DEEPEST} deep")
        for item in value.values() if isinstance(value, dict) else value:
            _check(item, levels - 1)


def _batch(told: Mapping[str, Any]) -> dict[str, Any]:
    dataset = check_dataset(str(told["dataset"]))
    return {
        "dataset": dataset,
        "partition": check_partition(str(told["partition"])),
        "rows": rows(told.get("rows")),
        "columns": columns(told.get("columns")),
        "media_type": PARQUET,
        "filename": f"{dataset}.parquet",
    }


def _model(told: Mapping[str, Any]) -> dict[str, Any]:
    name, form = check_dataset(str(told["name"])), str(told["format"])
    metrics = {
        str(metric): None if value is None else float(value)
        for metric, value in dict(told["metrics"]).items()
    }
    return {
        "name": name,
        "format": form,
        "metadata": dict(told["metadata"]),
        "metrics": metrics,
        "media_type": ANYTHING,
        "filename": f"{name}{_SUFFIXES[form]}",
    }


def rows(told: Any) -> int | None:
    """Return how many rows users' code told; None where it told none, or what no table has."""
    return told if type(told) is int and 0 <= told <= _MOST_ROWS else None


def columns(told: Any) -> list[dict[str, str]] | None:
    """Return the columns of a table as users' code told them; None where it told none."""
    if not isinstance(told, list):
        return None
    named = [column for column in told[:_MOST_COLUMNS] if isinstance(column, dict)]
    return [{"name": str(one.get("name")), "type": str(one.get("type"))} for one in named]


def _file(store: Store, place: Workplace, told: Mapping[str, Any]) -> dict[str, Any]:
    path = within(Path(str(told["path"])), place.outputs / PRIVATE)
    return vars(keep_regular(store, path)).copy()
