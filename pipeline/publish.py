"""The end of a run: everything it came to, written in one transaction under its claim."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from pipeline.asked import Asked
from pipeline.jobs import Made
from pipeline.pages import HTML, NOTEBOOK
from pipeline.reporting import Reported, stage_results
from pipeline.reproduction.answer import Answer
from pipeline.results import Results
from pipeline.runner.messages import Failure
from provenance.identity.canonical import digest
from provenance.ledger.claims import Claim, close_evaluation_if_done, finish
from provenance.ledger.history import remember_key
from provenance.ledger.reproductions import Attempted, write_reproduction
from provenance.ledger.states import Verdict
from provenance.ledger.tables import Check, Metric, RunInput, RunJob
from provenance.ledger.uses import indexed, remember_uses
from provenance.text import storable


@dataclass(frozen=True)
class Outcome:
    """How a run ended: with a report, or with the failure that kept it from one."""

    verdict: Verdict
    made: Sequence[Made]
    report: Reported | None
    failure: Failure | None
    failed_stage: str | None
    seconds: float
    log: str | None


def publish(
    session: Session, claim: Claim, asked: Asked, outcome: Outcome, answer: Answer | None = None
) -> None:
    """Write the outcome; raise ClaimLostError, having written nothing, if the claim is lost.

    *answer* is what came of making another run again, where that is what the run was for.
    """
    values: dict[str, Any] = {
        "verdict": outcome.verdict,
        "error": _error(outcome),
        "seconds": round(outcome.seconds, 3),
        "log": outcome.log,
        "doing": None,
    }
    if outcome.report is not None:
        values |= _report_values(outcome.report)
    finish(session, claim, **values)
    _forget(session, claim.id)
    report = outcome.report
    _write_results(session, claim.id, report.results if report else stage_results(outcome.made))
    _write_jobs(session, claim.id, outcome)
    if asked.purpose is None and asked.data.usual:
        _remember_all(session, asked, outcome)
    if report is not None:
        _write_inputs(session, claim.id, report)
    _index(session, outcome)
    if answer is not None and asked.again_of is not None:
        told = (str(answer.grade), answer.sentence, answer.details, asked.actor)
        write_reproduction(session, Attempted(asked.again_of, claim.id, *told))
    close_evaluation_if_done(session, asked.evaluation_id)


def _index(session: Session, outcome: Outcome) -> None:
    """Note what the results stand on, so that it can be asked who uses a thing.

    Those that are reused too, where it is not known yet: whoever made them may have been
    killed before it could say so.
    """
    entries = [one.entry for one in outcome.made]
    if outcome.report is not None:
        entries.append(outcome.report.entry)
    known = indexed(session, [entry.record_id for entry in entries])
    for entry in entries:
        if entry.record_id not in known:
            remember_uses(session, entry.record_id, entry.record)


def _remember_all(session: Session, asked: Asked, outcome: Outcome) -> None:
    """Note the keys of the run's jobs: what the next run of the project is compared with."""
    for one in outcome.made:
        remember(session, asked.project_id, f"stage:{one.step.name}", one.step.params, one.step.key)
    if outcome.report is not None:
        step = outcome.report.step
        remember(session, asked.project_id, f"report:{asked.report}", step.params, step.key)


def params_key(params: Any) -> str:
    """Return the digest under which history keeps what had these parameters."""
    return digest("params", dict(params))


def remember(session: Session, project_id: str, name: str, params: Any, key: str) -> None:
    """Note which key *name* has with these parameters."""
    remember_key(session, project_id, name, params_key(params), key)


def _error(outcome: Outcome) -> dict[str, Any] | None:
    if outcome.failure is None:
        return None
    told: dict[str, Any] = storable({**asdict(outcome.failure), "stage": outcome.failed_stage})
    return told


def _report_values(report: Reported) -> dict[str, Any]:
    record = report.entry.record
    html, notebook = report.page.output(HTML), report.page.output(NOTEBOOK)
    return {
        "key": report.step.key,
        "record": report.entry.record_id,
        "reused": report.reused,
        "reused_from": record.run["id"] if report.reused else None,
        "html": html.sha256 if html else None,
        "notebook": notebook.sha256 if notebook else None,
    }


def _forget(session: Session, run_id: str) -> None:
    """Drop what an attempt before may have written."""
    for table in (Metric, Check, RunInput, RunJob):
        session.execute(delete(table).where(table.run_id == run_id))


def _write_results(session: Session, run_id: str, results: Results) -> None:
    for position, metric in enumerate(results.metrics):
        session.add(Metric(run_id=run_id, position=position, **vars(metric)))
    for position, check in enumerate(results.checks):
        session.add(Check(run_id=run_id, position=position, **vars(check)))


def _write_inputs(session: Session, run_id: str, report: Reported) -> None:
    for file in report.step.inputs:
        session.add(
            RunInput(
                run_id=run_id,
                name=file.full_name,
                sha256=file.output.sha256,
                size=file.output.size,
                media_type=file.output.media_type,
                producer=file.producer,
                producer_key=file.producer_key,
                batch=file.batch.batch if file.batch else None,
            )
        )


def _write_jobs(session: Session, run_id: str, outcome: Outcome) -> None:
    jobs = [
        RunJob(
            stage=one.step.name,
            key=one.step.key,
            status=one.status,
            reason=one.reason,
            sentence=one.sentence,
            seconds=one.seconds,
            record=one.entry.record_id,
        )
        for one in outcome.made
    ]
    if outcome.report is not None:
        report = outcome.report
        jobs.append(
            RunJob(
                stage=report.step.name,
                key=report.step.key,
                status="reused" if report.reused else "executed",
                reason=report.decision.reason,
                sentence=report.decision.sentence,
                seconds=report.seconds,
                record=report.entry.record_id,
            )
        )
    for position, job in enumerate(jobs):
        job.run_id, job.position = run_id, position
        session.add(job)
