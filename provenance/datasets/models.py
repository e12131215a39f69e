"""Models: versions of an object with metadata, metrics and record, as one package.

A model is a dataset of the kind ``model``: its versions are batches, and the promoted version
is the current one.
"""

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from provenance.datasets.forms import safe_filename
from provenance.ledger.data_tables import Batch
from provenance.store import Store

_CHUNK = 1024 * 1024
_MADE_AT = (1980, 1, 1, 0, 0, 0)
"""The date of every file of a package, so that one version always gives the same bytes."""


def metadata_of(batch: Batch) -> Mapping[str, Any]:
    """Return what the maker said of a version."""
    return _part(batch, "metadata")


def metadata_texts(batch: Batch) -> Mapping[str, str]:
    """Return what the maker said of a version, for reading: texts as they are, else JSON."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in metadata_of(batch).items()
    }


def metrics_of(batch: Batch) -> Mapping[str, float | None]:
    """Return the metrics of a version; null for one that was not a number."""
    return {
        name: value if _is_number(value) else None
        for name, value in _part(batch, "metrics").items()
    }


def model_details(
    metadata: Mapping[str, Any], metrics: Mapping[str, float | None], form: str
) -> dict[str, Any]:
    """Return what a new version's batch keeps; *form* is ``pickle``, ``joblib`` or ``file``."""
    return {"metadata": dict(metadata), "metrics": dict(metrics), "format": form}


def format_of_file(filename: str) -> str:
    """Return the form that a file's name tells: ``pickle``, ``joblib``, else ``file``."""
    if filename.endswith(".joblib"):
        return "joblib"
    return "pickle" if filename.endswith((".pkl", ".pickle")) else "file"


def write_package(store: Store, batch: Batch, target: IO[bytes]) -> None:
    """Write the version's package to *target*: a zip that says of itself what it is.

    It holds the object, ``model.json``, ``metadata.json``, ``metrics.json``, ``record.json``
    (null for what was imported) and ``SHA256SUMS``, which ``sha256sum -c`` checks. Nothing in it
    is of the installation that writes it. Raises MissingObjectError or CorruptObjectError.
    """
    told = {
        "model.json": _json(_model(batch)),
        "metadata.json": _json(metadata_of(batch)),
        "metrics.json": _json(metrics_of(batch)),
        "record.json": store.read(batch.record) if batch.record else b"null\n",
    }
    name = object_name(batch)
    sums = {name: batch.sha256}
    sums |= {file: hashlib.sha256(data).hexdigest() for file, data in told.items()}
    told["SHA256SUMS"] = "".join(f"{found}  {file}\n" for file, found in sums.items()).encode()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(target, "w") as package:
        kept = Path(folder) / "object"
        store.copy_out(batch.sha256, kept)
        info = zipfile.ZipInfo(name, _MADE_AT)
        info.file_size = batch.size
        with kept.open("rb") as source, package.open(info, "w") as inside:
            shutil.copyfileobj(source, inside, _CHUNK)
        for file, data in told.items():
            package.writestr(zipfile.ZipInfo(file, _MADE_AT), data)


def object_name(batch: Batch) -> str:
    """Return the name of the object's file in its package: never one that leads elsewhere."""
    safe = safe_filename(batch.filename)
    ours = {"model.json", "metadata.json", "metrics.json", "record.json", "SHA256SUMS"}
    return f"object-{safe}" if safe in ours else safe


def package_name(batch: Batch) -> str:
    """Return the name of the package's file."""
    return f"{batch.partition.dataset.name}-{batch.number}.zip"


def _model(batch: Batch) -> dict[str, Any]:
    return {
        "name": batch.partition.dataset.name,
        "version": batch.number,
        "batch": batch.id,
        "object": object_name(batch),
        "format": batch.details.get("format", "file"),
        "sha256": batch.sha256,
        "size": batch.size,
        "record": batch.record,
        "run": batch.run_id,
        "saved_by": batch.actor,
        "saved_at": batch.created_at.isoformat(),
    }


def _part(batch: Batch, name: str) -> Mapping[str, Any]:
    found = batch.details.get(name)
    return found if isinstance(found, dict) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"
