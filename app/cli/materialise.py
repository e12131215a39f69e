"""What a local run leaves in the working tree: its page, and the inputs that it stood on."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.cli.local import Local
from pipeline.repository.working_tree import working_tree
from provenance.cache import Entry
from provenance.ledger.intake import case_key
from provenance.ledger.tables import Run
from provenance.record import SIDECAR_SUFFIX, Output, parse_record, sidecar
from provenance.store import Store

FOLDER = ".provenote"
_UNSAFE = re.compile(r"[^A-Za-z0-9._=-]+")
_LONGEST = 100


def materialise(local: Local, run_id: str) -> Path | None:
    """Lay the run's page and inputs below ``.provenote/`` and return where the page is.

    The inputs are what a template finds when it is opened by hand in Jupyter. Each file has
    its sidecar ``.prov.json`` beside it.
    """
    with local.installation.ledger.reading() as session:
        run = session.get_one(Run, run_id)
        inputs = [(found.name, found.producer_key, found.sha256) for found in run.inputs]
    folder = _folder(working_tree(Path.cwd()).root)
    store, cache = local.installation.store, local.installation.cache
    for name, key, sha256 in inputs:
        entry = cache.recorded(key)
        if entry is None:
            continue
        output = next(found for found in entry.record.outputs if found.sha256 == sha256)
        # An input of several outputs is a folder of them: features.table in features/.
        suffix = Path(output.filename).suffix
        target = folder / "inputs" / run.report / f"{name.replace('.', '/')}{suffix}"
        _lay(store, entry, output, target)
    if run.html is None or run.record is None:
        return None
    # The run's own record: of a run that raised, the cache knows none.
    entry = Entry(parse_record(store.read(run.record)), run.record)
    page = next(found for found in entry.record.outputs if found.sha256 == run.html)
    target = folder / "reports" / run.report / f"{case_name(run.case)}.html"
    _lay(store, entry, page, target)
    return target


def case_name(case: Mapping[str, Any]) -> str:
    """Return a file name that tells the case: ``date=2013-01-31``; no other case has it."""
    told = ",".join(f"{name}={value}" for name, value in case.items()) or "default"
    name = _UNSAFE.sub("-", told)[:_LONGEST]
    return name if name == told else f"{name}-{case_key(case)[:8]}"


def _folder(root: Path) -> Path:
    """Return the folder in the working tree that git is told to ignore."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder


def _lay(store: Store, entry: Entry, output: Output, target: Path) -> None:
    target.unlink(missing_ok=True)
    store.copy_out(output.sha256, target)
    told = sidecar(entry.record, entry.record_id, output)
    target.with_name(target.name + SIDECAR_SUFFIX).write_bytes(told)
