"""The end of a run: everything it came to, written in one transaction under its claim."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from pipeline.asked import Asked
from pipeline.jobs import Made
from pipeline.pages import HTML, NOTEBOOK
from pipeline.previous import history_name, params_key
from pipeline.reporting import Reported, stage_results
from pipeline.reproduction.answer import Answer
from pipeline.runner.messages import Failure
from provenance.ledger.claims import Claim, close_evaluation_if_done, finish
from provenance.ledger.history import remember_key
from provenance.ledger.page_heads import note_page_heads
from provenance.ledger.reproductions import Attempted, write_reproduction
from provenance.ledger.states import Verdict
from provenance.ledger.tables import Check, Commit, Metric, RunInput, RunJob
from provenance.ledger.text_tables import PageText
from provenance.ledger.times import CaseKey, Took, remember_took
from provenance.ledger.uses import indexed, remember_uses
from provenance.ledger.words import note_page
from provenance.text import storable

_LONGEST_NAMES = 2_000


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
    took: Took | None = None
    """How its time was spent, where the report was executed."""

    @property
    def jobs(self) -> list[Made]:
        """What has a result, in order: the stages, then the report."""
        return [*self.made, *([self.report.as_job] if self.report else [])]


def publish(
    session: Session, claim: Claim, asked: Asked, outcome: Outcome, answer: Answer | None = None
) -> None:
    """Write the outcome; raise ClaimLostError, having written nothing, if the claim is lost.

    *answer* is what came of making another run again, where that is what the run was for.
    """
    finish(session, claim, **_values(outcome))
    _forget(session, claim.id)
    _write_results(session, claim.id, outcome)
    _write_jobs(session, claim.id, outcome)
    if outcome.report is not None:
        _write_inputs(session, claim.id, outcome.report)
    if asked.purpose is None and asked.data.usual:
        _remember(session, asked, outcome)
    if asked.purpose is None and outcome.took is not None:
        remember_took(
            session, CaseKey(asked.project_id, asked.report, asked.case_key), outcome.took
        )
    _index(session, outcome)
    _note_page(session, claim, asked, outcome)
    if answer is not None and asked.again_of is not None:
        told = (str(answer.grade), answer.sentence, answer.details, asked.actor)
        write_reproduction(session, Attempted(asked.again_of, claim.id, *told))
    close_evaluation_if_done(session, asked.evaluation_id)


def _values(outcome: Outcome) -> dict[str, Any]:
    """Return what the run's own row says of its end."""
    values: dict[str, Any] = {
        "verdict": outcome.verdict,
        "error": _error(outcome),
        "seconds": round(outcome.seconds, 3),
        "log": outcome.log,
        "doing": None,
        "cell_at": None,
    }
    return values | (_report_values(outcome.report) if outcome.report else {})


def _index(session: Session, outcome: Outcome) -> None:
    """Note what the results stand on, so that it can be asked who uses a thing.

    Those that are reused too, where it is not known yet: whoever made them may have been
    killed before it could say so.
    """
    entries = [one.entry for one in outcome.jobs]
    known = indexed(session, [entry.record_id for entry in entries])
    for entry in entries:
        if entry.record_id not in known:
            remember_uses(session, entry.record_id, entry.record)


def _note_page(session: Session, claim: Claim, asked: Asked, outcome: Outcome) -> None:
    """Let the page be found by its words, once somebody has had the time to read it."""
    values = _report_values(outcome.report) if outcome.report else {"html": None}
    if values["html"] is None:
        return
    valued = (f"{name} {value}" for name, value in asked.params.items())
    commit = session.get(Commit, (asked.project_id, asked.commit))
    note_page(
        session,
        PageText(
            html=values["html"],
            notebook=values["notebook"],
            project_id=asked.project_id,
            names=" ".join(
                [asked.project, asked.report, *valued, commit.subject if commit else ""]
            )[:_LONGEST_NAMES],
        ),
    )
    if asked.purpose is None:
        note_page_heads(session, {values["html"]: claim.id})


def _remember(session: Session, asked: Asked, outcome: Outcome) -> None:
    """Note the keys of the run's jobs: what the next run of the project is compared with."""
    for one in outcome.jobs:
        name, params = history_name(asked.report, one.step), params_key(one.step.params)
        remember_key(session, asked.project_id, name, params, one.step.key)


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
        "kernel": report.executed.kernel if report.executed else None,
        "proof": None,
    }


def _forget(session: Session, run_id: str) -> None:
    """Drop what an attempt before may have written."""
    for table in (Metric, Check, RunInput, RunJob):
        session.execute(delete(table).where(table.run_id == run_id))


def _write_results(session: Session, run_id: str, outcome: Outcome) -> None:
    results = outcome.report.results if outcome.report else stage_results(outcome.made)
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
    for position, one in enumerate(outcome.jobs):
        session.add(
            RunJob(
                run_id=run_id,
                position=position,
                stage=one.step.name,
                key=one.step.key,
                status=one.status,
                reason=one.reason,
                sentence=one.sentence,
                seconds=one.seconds,
                record=one.entry.record_id,
            )
        )
