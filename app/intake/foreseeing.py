"""The process that tells what runs would do, so that the web server does not wait for it.

It reads files of the commit and asks the ledger; nothing of the project is executed, and
nothing is built. A job comes in on standard input, the answer goes to standard output.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from app.assemble import assemble
from app.intake.offer import mirror_of
from app.settings import read_settings
from pipeline.asked import data_wanted
from pipeline.data import read_data
from pipeline.environments import environment_there, lock_of
from pipeline.foresight import foresee
from pipeline.installation import Installation
from pipeline.manifest import read_manifest
from pipeline.processes import become_supervisor
from pipeline.situation import settle
from provenance.errors import ProvenoteError, UnavailableError
from provenance.ledger.intake import CaseToRun
from provenance.ledger.queries.projects import project_named

ENOUGH_SECONDS = 6.0
"""When so long was looked, the runs that were not looked at are left out."""


class UnbuiltEnvironmentError(UnavailableError):
    """Raised when the environment is not there whose packages the keys depend on."""

    code = "unbuilt_environment"


def main() -> None:
    """Answer the job on standard input."""
    become_supervisor()
    job: dict[str, Any] = json.load(sys.stdin)
    installation = assemble(read_settings())
    try:
        told: dict[str, Any] = {"plans": list(_plans(installation, job))}
    except ProvenoteError as error:
        told = {"message": error.message, "hint": error.hint}
    json.dump(told, sys.stdout)


def _plans(installation: Installation, job: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield for each case, in order, what would happen with its jobs."""
    deadline = time.monotonic() + ENOUGH_SECONDS
    with installation.ledger.reading() as session:
        project = project_named(session, job["project"])
    checkout = mirror_of(installation, project).checkout(job["commit"])
    manifest = read_manifest(checkout.tree)
    lock = lock_of(checkout.tree, manifest.environment.from_)
    environment = environment_there(installation.environments, lock)
    if environment is None:
        raise UnbuiltEnvironmentError(
            "The environment of this commit is not built on this machine yet.",
            "What is in it decides what can be reused; the first run builds it.",
        )
    survey = None
    for told in job["cases"]:
        case = CaseToRun(**told)
        situation = settle(checkout, manifest, environment, case, installation.checkouts)
        # Nothing is executed, so one look at the files is good for all runs.
        situation = replace(situation, survey=survey)
        survey = situation.surveyed()
        situation = read_data(
            installation, replace(situation, survey=survey), data_wanted(job["data"])
        )
        steps = foresee(installation, situation, project.id, case.case_key)
        yield [asdict(step) for step in steps]
        if time.monotonic() > deadline:
            return


if __name__ == "__main__":
    main()
