"""``provenote cancel``."""

import time
from typing import Any

import click
from sqlalchemy.orm import selectinload

from app.assemble import assemble, make_ready
from app.cancelling import cancel_all
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.cli.runs import run_with_jobs
from app.evaluation_object import evaluation_object
from app.settings import read_settings
from pipeline.installation import Installation
from provenance.ledger.cancel import UnknownEvaluationError, cancel_run
from provenance.ledger.queries.progress import progress_of
from provenance.ledger.states import ENDED
from provenance.ledger.tables import Evaluation

_LOOK_SECONDS = 0.1
_EVALUATION = "eval_"


@click.command()
@click.argument("what", metavar="RUN_OR_EVALUATION")
@click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(min=0),
    default=20.0,
    show_default=True,
    help="Seconds to wait until it is over.",
)
@json_option
def command(what: str, seconds: float, as_json: bool) -> None:
    """Cancel a run, or all runs of an evaluation, by its id.

    What is queued ends at once. A worker that is at it is told, and keeps what it has done: the
    cells that were finished, and the log.
    """
    settings = read_settings()
    installation = assemble(settings)
    make_ready(settings, installation)
    found = _look(installation, what)
    over_before = found["status"] in ENDED
    if not over_before:
        _cancel(installation, what)
        found = _wait(installation, what, seconds)
    if as_json:
        print_json(found)
    else:
        say(_told(found, over_before))
    raise click.exceptions.Exit(0 if found["status"] in ENDED else 3)


def _cancel(installation: Installation, what: str) -> None:
    if what.startswith(_EVALUATION):
        cancel_all(installation.ledger, what)
        return
    with installation.ledger.writing() as session:
        cancel_run(session, what)


def _wait(installation: Installation, what: str, seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while (found := _look(installation, what))["status"] not in ENDED:
        if time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    return found


def _look(installation: Installation, what: str) -> dict[str, Any]:
    """Return the object of the run or evaluation; raise NotFoundError where it is neither."""
    if not what.startswith(_EVALUATION):
        return run_with_jobs(installation, what)
    with installation.ledger.reading() as session:
        row = session.get(Evaluation, what, options=[selectinload(Evaluation.runs)])
        if row is None:
            raise UnknownEvaluationError(
                f"There is no evaluation {what!r}.", "The archive lists all evaluations."
            )
        return evaluation_object(row, installation.base_url, progress_of(session, row.runs))


def _told(found: dict[str, Any], over_before: bool) -> str:
    if over_before:
        return f"{found['id']} had ended already: {found['verdict']}. Nothing was cancelled."
    if found["status"] not in ENDED:
        return (
            f"{found['id']} was told to stop, and has not ended yet. "
            f"`provenote cancel {found['id']}` waits for it again."
        )
    if "runs" in found:
        cancelled = sum(run["verdict"] == "cancelled" for run in found["runs"])
        return f"{found['id']} has ended: {cancelled} of {len(found['runs'])} runs are cancelled."
    if found["verdict"] == "cancelled":
        return f"{found['id']} is cancelled."
    return f"{found['id']} has ended: {found['verdict']}. It was over before it could be stopped."
