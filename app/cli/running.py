"""What ``provenote run`` does: each case in this process, one after the other."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click

from app.cli.ahead import Ahead
from app.cli.hands import Hands, hands
from app.cli.local import Local, open_local, wanted_cases, wanted_data
from app.cli.logs import configure_logs
from app.cli.materialise import materialise
from app.cli.output import print_json
from app.cli.progress import Progress
from app.cli.runs import run_with_jobs
from app.intake.local import LocalWork, accept_local
from app.intake.request import Requester
from app.work.owner import owner_name
from app.work.reconcile import sweep, take_back
from pipeline.evaluate import evaluate_run
from pipeline.installation import Installation
from provenance.ledger.claims import Claim, ClaimLostError, close_evaluation_if_done, finish
from provenance.ledger.intake import CaseToRun, case_key
from provenance.ledger.reproductions import CALLED_OFF, answer_for_want_of_one
from provenance.ledger.states import Trigger, Verdict, worst
from provenance.ledger.tables import Run
from provenance.ledger.times import CaseKey, Took, expected_times

EXIT = {Verdict.PASSED: 0, Verdict.FAILED: 1}


def run_reports(
    ahead: Ahead,
    report: str | None,
    given: tuple[str, ...],
    revision: str | None,
    force: bool,
    as_json: bool,
    **data: Any,
) -> None:
    """Run what ``provenote run`` was asked for, tell of it, and leave with its exit status."""
    configure_logs(logging.WARNING)
    local = open_local(revision)
    take_back(local.installation)
    cases = wanted_cases(local, report, given)
    if not cases:
        raise click.UsageError("provenote.toml declares no reports. Add [reports.NAME].")
    asked = LocalWork(local.checkout, local.branch, force, wanted_data(**data), owner_name())
    objects = _run_all(local, cases, asked, ahead)
    ahead.remember()
    _clear_away(local.installation)
    if as_json:
        print_json(objects[0] if len(objects) == 1 else {"items": objects})
    verdict = worst(Verdict(found["verdict"]) for found in objects)
    raise click.exceptions.Exit(EXIT.get(verdict, 3))


def _clear_away(installation: Installation) -> None:
    """Remove what commands that were killed have left, where no worker does."""
    if any(installation.work.glob("*")):
        sweep(installation)


def _run_all(
    local: Local, cases: Sequence[CaseToRun], work: LocalWork, ahead: Ahead
) -> list[dict[str, Any]]:
    """Accept the runs, carry each out in this process, and return their objects."""
    requester = Requester(Trigger.CLI, local.actor)
    claims = accept_local(local.installation.ledger, local.project, work, cases, requester)
    objects: list[dict[str, Any]] = []
    try:
        with hands(local.installation, local.settings.lease_seconds, ahead) as ours:
            for claim, case in zip(claims, cases, strict=True):
                objects.append(_run_one(local, ours, claim, case))
                if ours.called_off.is_set():
                    raise KeyboardInterrupt
    except BaseException as error:
        give_up(local.installation, claims[len(objects) :], error)
        raise
    return objects


def _run_one(local: Local, ours: Hands, claim: Claim, case: CaseToRun) -> dict[str, Any]:
    """Carry out one run, showing its progress, and return its object."""
    key = CaseKey(local.project_id, case.report, case_key(case.case))
    with Progress(case, expected_here(local.installation, key), ours.called_off) as progress:
        evaluate_run(claim, ours.worker(progress.hear), local.checkout)
        told = run_with_jobs(local.installation, claim.id)
        progress.finish(told, materialise(local, claim.id))
    return told


def expected_here(installation: Installation, case: CaseKey) -> Took | None:
    """Return how a run of *case* is expected to spend its time, if that is known here."""
    with installation.ledger.reading() as session:
        return expected_times(session, [case]).get(case)


def give_up(installation: Installation, claims: Sequence[Claim], error: BaseException) -> None:
    """End what was not finished: after Ctrl-C as cancelled, after a failure of ours as that."""
    stopped = isinstance(error, KeyboardInterrupt)
    told = None if stopped else {"kind": "provenote", "message": f"provenote failed: {error!r}"}
    verdict = Verdict.CANCELLED if stopped else Verdict.ERROR
    for claim in claims:
        with installation.ledger.writing() as session, suppress(ClaimLostError):
            finish(session, claim, verdict=verdict, error=told)
            run = session.get_one(Run, claim.id)
            answer_for_want_of_one(session, run, CALLED_OFF if stopped else "provenote failed")
            close_evaluation_if_done(session, run.evaluation_id)
