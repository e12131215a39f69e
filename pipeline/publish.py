"""The end of a run: everything it came to, written in one transaction under its claim."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from pipeline.asked import Asked
from pipeline.jobs import Made
from pipeline.reporting import HTML, NOTEBOOK, Reported, stage_results
from pipeline.results import Results
from pipeline.runner.messages import Failure
from provenance.identity.canonical import digest
from provenance.ledger.claims import Claim, close_evaluation_if_done, finish
from provenance.ledger.history import remember_key
from provenance.ledger.states import Verdict
from provenance.ledger.tables import Check, Metric, RunInput, RunJob
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


def publish(session: Session, claim: Claim, asked: Asked, outcome: Outcome) -> None:
    """Write the outcome; raise ClaimLostError, having written nothing, if the claim is lost."""
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
    for one in outcome.made:
        remember(session, asked.project_id, f"stage:{one.step.name}", one.step.params, one.step.key)
    if report is not None:
        name = f"report:{asked.report}"
        remember(session, asked.project_id, name, report.step.params, report.step.key)
        _write_inputs(session, claim.id, report)
    close_evaluation_if_done(session, asked.evaluation_id)


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
    html, notebook = record.output(HTML), record.output(NOTEBOOK)
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
