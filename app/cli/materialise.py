"""What a local run leaves in the working tree: its page, and the inputs that it stood on."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.cli.local import Local
from pipeline.data import batch_output
from pipeline.installation import Installation
from pipeline.laying import lay_batch, suffix_of
from pipeline.repository.working_tree import working_tree
from provenance.cache import Entry
from provenance.ledger.data_tables import Batch
from provenance.ledger.intake import case_key
from provenance.ledger.tables import Run, RunInput
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
    installation, folder = local.installation, _folder(working_tree(Path.cwd()).root)
    with installation.ledger.reading() as session:
        run = session.get_one(Run, run_id)
        batches = {
            found.name: session.get_one(Batch, found.batch) for found in run.inputs if found.batch
        }
    for found in run.inputs:
        _lay_input(installation, folder / "inputs" / run.report, found, batches.get(found.name))
    if run.html is None or run.record is None:
        return None
    target = folder / "reports" / run.report / f"{case_name(run.case)}.html"
    _lay_page(installation.store, run.record, run.html, target)
    return target


def _lay_page(store: Store, record_id: str, html: str, target: Path) -> None:
    """Lay the page, which may have been rendered anew since its record was written."""
    target.unlink(missing_ok=True)
    store.copy_out(html, target)
    # The run's own record: of a run that raised, the cache knows none.
    record = parse_record(store.read(record_id))
    page = Output("html", html, target.stat().st_size, "text/html", "report.html")
    others = tuple(output for output in record.outputs if output.name != page.name)
    told = sidecar(replace(record, outputs=(*others, page)), record_id, page)
    target.with_name(target.name + SIDECAR_SUFFIX).write_bytes(told)


def _lay_input(
    installation: Installation, folder: Path, found: RunInput, batch: Batch | None
) -> None:
    """Lay one input; one of several files into a folder: features.table in features/."""
    store, target = installation.store, folder / found.name.replace(".", "/", 1)
    if batch is not None:
        target = target.with_name(target.name + suffix_of(batch.filename))
        target.unlink(missing_ok=True)
        lay_batch(store, batch_output(store, batch), batch.record, target)
        return
    entry = installation.cache.recorded(found.producer_key)
    if entry is not None:
        output = next(one for one in entry.record.outputs if one.sha256 == found.sha256)
        target = target.with_name(target.name + suffix_of(output.filename))
        _lay(store, entry, output, target)


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
