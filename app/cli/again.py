"""What commands about a run share: carrying out another one here and now."""

import getpass
import logging
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.assemble import assemble, make_ready
from app.cli.ahead import started_ahead
from app.cli.hands import hands
from app.cli.local import of_commit, resolve_here
from app.cli.logs import configure_logs
from app.cli.meant import run_named
from app.cli.progress import Progress
from app.cli.running import expected_here, give_up
from app.cli.runs import run_with_jobs
from app.intake.request import Requester
from app.run_object import whole_run
from app.settings import Settings, read_settings
from app.work.owner import owner_name
from app.work.reconcile import take_back
from pipeline.evaluate import evaluate_run
from pipeline.installation import Installation
from pipeline.manifest import read_manifest
from pipeline.repository.checkout import Checkout
from pipeline.repository.git import GitError, git
from provenance.errors import ProvenoteError
from provenance.ledger.cancel import cancel_run
from provenance.ledger.claims import claim
from provenance.ledger.intake import CaseToRun
from provenance.ledger.queries.progress import progress_of
from provenance.ledger.states import ENDED, Trigger
from provenance.ledger.tables import Run
from provenance.ledger.times import CaseKey

_POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Asking:
    """Somebody at a terminal who asks about a run."""

    settings: Settings
    installation: Installation
    run: Run

    @property
    def requester(self) -> Requester:
        """Who asks."""
        return Requester(Trigger.CLI, getpass.getuser())


def ask_about(run_id: str) -> Asking:
    """Return what is needed to carry out a run about the run *run_id*, or ``latest``."""
    configure_logs(logging.WARNING)
    settings = read_settings()
    # Who may start this command may read the repositories that the ledger names.
    installation = replace(assemble(settings, sources=True), allow_file_repositories=True)
    make_ready(settings, installation)
    take_back(installation)
    with installation.ledger.reading() as session:
        run = whole_run(session, run_named(session, run_id))
    return Asking(settings, installation, run)


def of_this_directory(asking: Asking, sha: str) -> Checkout | None:
    """Return the commit as the repository around the current directory has it.

    That is the only one to have what nobody has pushed. None where this is another project,
    or does not have the commit.
    """
    try:
        top = git(["rev-parse", "--show-toplevel"], directory=Path.cwd()).decode().strip()
        root = Path(top)
        if resolve_here(root, f"{sha}^{{commit}}") is None:
            return None
        checkout, _ = of_commit(asking.installation, root, sha)
        named = read_manifest(checkout.tree).name
    except (GitError, ProvenoteError):
        return None
    return checkout if named == asking.run.project.name else None


def carry_out(asking: Asking, run: Run) -> dict[str, Any]:
    """Carry out *run* in this process, unless a worker was faster; return its object.

    What does not answer is not waited for: the run then ends as cancelled.
    """
    installation = asking.installation
    with installation.ledger.writing() as session:
        held = claim(session, Run, run.id, owner_name(), asking.settings.lease_seconds)
    case = CaseToRun(run.report, run.params, run.origins, run.case)
    lease = asking.settings.lease_seconds
    try:
        expected = expected_here(installation, CaseKey(run.project_id, run.report, run.case_key))
        with (
            started_ahead() as ahead,
            hands(installation, lease, ahead) as ours,
            Progress(case, expected, ours.called_off) as progress,
        ):
            if held is None:
                return _watch(installation, run.id, progress, ours.called_off)
            local = of_this_directory(asking, run.commit_sha)
            if evaluate_run(held, ours.worker(progress.hear), local) is None:
                with installation.ledger.writing() as session:
                    cancel_run(session, run.id)
            if ours.called_off.is_set():
                raise KeyboardInterrupt
    except BaseException as error:
        give_up(installation, [held] if held else [], error)
        raise
    return run_with_jobs(installation, run.id)


def _watch(
    installation: Installation, run_id: str, progress: Progress, called_off: threading.Event
) -> dict[str, Any]:
    """Wait until the worker that has the run has carried it out; who gives up has it cancelled."""
    while True:
        with installation.ledger.reading() as session:
            run = whole_run(session, run_id)
            if run.status in ENDED:
                break
            progress.show(progress_of(session, [run])[run_id])
        if called_off.wait(_POLL_SECONDS):
            with installation.ledger.writing() as session:
                cancel_run(session, run_id)
            raise KeyboardInterrupt
    return run_with_jobs(installation, run_id)
