"""What a local run leaves in the working tree: its page, and the inputs that it stood on."""

from pathlib import Path

from app.cli.local import Local
from app.cli.naming import case_name
from pipeline.data import batch_output
from pipeline.laying import lay_file, suffix_of
from pipeline.rendering.standalone import led_to
from pipeline.repository.working_tree import working_tree
from provenance.files import make_folder
from provenance.ledger.data_tables import Batch
from provenance.ledger.tables import Run, RunInput
from provenance.record import SIDECAR_SUFFIX, Output, parse_record, read_record, sidecar
from provenance.store import Store

FOLDER = ".provenote"


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
        records = {job.stage: job.record for job in run.jobs}
    store = installation.store
    for found in run.inputs:
        batch = batches.get(found.name)
        record_id = batch.record if batch else records.get(found.producer)
        output = batch_output(store, batch) if batch else _made(store, record_id, found)
        # One of several files goes into a folder: features.table into features/.
        target = folder / "inputs" / run.report / found.name.replace(".", "/", 1)
        _lay(store, output, record_id, target)
    if run.html is None or run.record is None:
        return None
    target = folder / "reports" / run.report / f"{case_name(run.case)}.html"
    _lay_page(installation.store, run.record, run.html, target)
    return target


def _lay_page(store: Store, record_id: str, html: str, target: Path) -> None:
    """Lay the page, which may have been rendered anew since its record was written.

    What it leads to lies where its links lead: it can be opened from disk.
    """
    target.unlink(missing_ok=True)
    store.copy_out(html, target)
    for path, content in led_to(target.read_text(encoding="utf-8"), store):
        beside = target.parent / path
        if not beside.exists():
            make_folder(beside.parent)
            beside.write_bytes(content())
    # The run's own record: of a run that raised, the cache knows none.
    record = parse_record(store.read(record_id))
    page = Output("html", html, target.stat().st_size, "text/html", "report.html")
    told = sidecar(record, record_id, page)
    target.with_name(target.name + SIDECAR_SUFFIX).write_bytes(told)


def _made(store: Store, record_id: str | None, found: RunInput) -> Output:
    """Return the input as the stage that made it calls it."""
    record = read_record(store, record_id)
    made = record.outputs if record is not None else ()
    same = (output for output in made if output.sha256 == found.sha256)
    plain = Output(found.name, found.sha256, found.size, found.media_type, found.name)
    return next(same, plain)


def _folder(root: Path) -> Path:
    """Return the folder in the working tree that git is told to ignore."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder


def _lay(store: Store, output: Output, record_id: str | None, target: Path) -> None:
    target = target.with_name(target.name + suffix_of(output.filename))
    target.unlink(missing_ok=True)
    lay_file(store, output, record_id, target)
