"""A crate as files: what is known of the run, and what it made."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provenance.export.crate_files import Chooser, CrateFiles, Taken, write_folder
from provenance.export.crate_terms import METADATA, WORKFLOW
from provenance.export.ro_crate import crate_document
from provenance.export.subject import Subject
from provenance.store import Store


def write_crate(subject: Subject, store: Store, folder: Path, taken: Taken) -> CrateFiles:
    """Write the run as a crate into *folder*; returns what went in and what was left out."""
    chooser = Chooser(subject, store, taken)
    document = crate_document(subject, chooser)
    made = {METADATA: _bytes(document), WORKFLOW: _bytes(workflow_text(subject))}
    write_folder(chooser.files, made, store, folder)
    return chooser.files


def workflow_text(subject: Subject) -> dict[str, Any]:
    """Return what ``workflow.json`` holds: the jobs of the run and what each takes from which."""
    run = subject.story.run
    return {
        "schema": "provenote/workflow/1",
        "project": run.project,
        "report": run.report,
        "commit": run.commit,
        "jobs": [
            {
                "name": job.name,
                "kind": record.kind,
                "inputs": {str(found["name"]): found.get("producer") for found in record.inputs},
                "params": sorted(record.params),
                "outputs": [output.name for output in record.outputs],
            }
            for job, record in subject.made
        ],
    }


def _bytes(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
