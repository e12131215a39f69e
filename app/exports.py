"""Exports as the command line and the interface for programs give them out."""

import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from pipeline.installation import Installation
from pipeline.repository.mirror import without_userinfo
from provenance.export.crate import write_crate
from provenance.export.crate_files import CrateFiles, Taken, write_zip
from provenance.export.open_lineage import run_events
from provenance.export.prov_json import prov_json
from provenance.export.subject import Place, Subject, load_subject
from provenance.ledger.cancel import find_run

PROV_JSON, RO_CRATE, OPEN_LINEAGE = "prov-json", "ro-crate", "openlineage"
FORMATS = (PROV_JSON, RO_CRATE, OPEN_LINEAGE)


def subject_of(installation: Installation, run_id: str) -> Subject:
    """Return a run to be exported; raises what `load_subject` raises."""
    place = Place(installation.base_url, version("provenote"))
    with installation.ledger.reading() as session:
        repository = without_userinfo(find_run(session, run_id).project.url)
        return load_subject(session, installation.store, run_id, place, repository)


def text_of(subject: Subject, form: str) -> str:
    """Return an export that is text: one JSON document, or one event a line."""
    if form == PROV_JSON:
        return json.dumps(prov_json(subject), indent=2, ensure_ascii=False) + "\n"
    return "".join(line_of(event) for event in run_events(subject))


def line_of(event: dict[str, Any]) -> str:
    """Return one event as a line of JSON."""
    return json.dumps(event, ensure_ascii=False) + "\n"


def zip_crate(
    installation: Installation, subject: Subject, stream: IO[bytes], taken: Taken
) -> CrateFiles:
    """Write the run as a crate into a ZIP file."""
    with tempfile.TemporaryDirectory(prefix="provenote-crate-") as folder:
        files = write_crate(subject, installation.store, Path(folder), taken)
        write_zip(Path(folder), stream)
    return files
