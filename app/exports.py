"""Exports as the command line and the interface for programs give them out."""

import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from pipeline.bundles.contents import Bundle, bundle_of
from pipeline.installation import Installation
from pipeline.rendering.standalone import standalone
from provenance.export.crate import write_crate
from provenance.export.crate_files import CrateFiles, Taken, write_zip
from provenance.export.open_lineage import run_events
from provenance.export.prov_json import prov_json
from provenance.export.subject import Place, Subject, load_subject
from provenance.ledger.finding import find_run
from provenance.ledger.tables import Run

PROV_JSON, RO_CRATE, OPEN_LINEAGE = "prov-json", "ro-crate", "openlineage"
BUNDLE = "bundle"
"""Page, notebook and records as one ZIP file that `provenote verify` checks anywhere."""
FORMATS = (PROV_JSON, RO_CRATE, OPEN_LINEAGE)
HTML, PDF = "html", "pdf"
PAGES = (HTML, PDF)
"""The report itself as one file, for those who have no provenote."""
_LONGEST_CASE = 60


def subject_of(installation: Installation, run_id: str) -> Subject:
    """Return a run to be exported; raises what `load_subject` raises."""
    place = Place(installation.base_url, version("provenote"))
    with installation.ledger.reading() as session:
        return load_subject(session, installation.store, run_id, place)


def bundle(installation: Installation, run_id: str) -> Bundle:
    """Return the bundle of a run; raises what `bundle_of` raises, UnknownRunError before."""
    place = Place(installation.base_url, version("provenote"))
    with installation.ledger.reading() as session:
        run = find_run(session, run_id)
        subject = load_subject(session, installation.store, run_id, place, whole=False)
    page = standalone_page(installation, run) if run.html is not None else b""
    return bundle_of(subject, installation.store, page)


def text_of(subject: Subject, form: str) -> str:
    """Return an export that is text: one JSON document, or one event a line.

    It is all ASCII: what a stranger wrote into a value can neither break a line of it, nor
    move the cursor of the terminal that it is shown on.
    """
    if form == PROV_JSON:
        return json.dumps(prov_json(subject), indent=2) + "\n"
    return "".join(line_of(event) for event in run_events(subject))


def standalone_page(installation: Installation, run: Run) -> bytes:
    """Return the page of a run as one file that needs no server.

    Raises MissingObjectError where the page, or what it is drawn with, is lost.
    """
    assert run.html is not None  # noqa: S101 - asked for by those who found that it has a page
    url = f"{installation.base_url.rstrip('/')}/runs/{run.id}"
    page = installation.store.read(run.html).decode()
    return standalone(page, installation.store, url, run.record).encode()


def file_name(run: Run, ending: str) -> str:
    """Return what a file of a run is called where it is saved: after its case as well, since the
    runs of one commit may lie in one folder."""
    case = "-".join(map(str, run.case.values()))[:_LONGEST_CASE]
    return "-".join(filter(None, (run.report, case, run.commit_sha[:8]))) + f".{ending}"


def line_of(event: dict[str, Any]) -> str:
    """Return one event as a line of JSON."""
    return json.dumps(event) + "\n"


def zip_crate(
    installation: Installation, subject: Subject, stream: IO[bytes], taken: Taken
) -> CrateFiles:
    """Write the run as a crate into a ZIP file."""
    with tempfile.TemporaryDirectory(prefix="provenote-crate-") as folder:
        files = write_crate(subject, installation.store, Path(folder), taken)
        write_zip(Path(folder), stream)
    return files
