"""Publishing what a job made: outputs that the manifest names, frames and models it stored.

It happens as soon as a job's result is kept, executed or reused: the files are in the store by
then, and one transaction under the run's claim writes the batches and moves the pointers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from pipeline.asked import Asked
from pipeline.attempt import Attempt
from pipeline.jobs import Made, StageFailedError
from pipeline.manifest_parts.data import PublishSpec, filled
from pipeline.pointer_rules import Work, why_not
from pipeline.reporting import Reported
from pipeline.reproduction.original import REPRODUCE
from pipeline.runner.messages import Failure
from pipeline.situation import Situation
from pipeline.step import number_word
from provenance.cache import Entry
from provenance.datasets.errors import ConflictError
from provenance.datasets.models import model_details
from provenance.datasets.names import MODEL, label
from provenance.datasets.publish import (
    By,
    NewBatch,
    pointer_of,
    publish,
    stage_batch,
    version_seen,
)
from provenance.ledger.claims import note
from provenance.ledger.data_tables import Batch
from provenance.record import Output, Record, read_record


@dataclass(frozen=True)
class _Job:
    """A job whose result is kept, and what the run says of it."""

    attempt: Attempt
    situation: Situation
    entry: Entry

    @property
    def asked(self) -> Asked:
        """What the run was asked for."""
        return self.attempt.asked

    @property
    def record(self) -> Record:
        """How the result was made."""
        return self.entry.record

    @property
    def work(self) -> Work:
        """What the rules for moving a pointer have to know."""
        return Work(
            run_id=self.asked.run_id,
            record=self.record,
            seen_at=self.situation.read_at,
            store=self.attempt.installation.store,
        )


def publish_stage(attempt: Attempt, situation: Situation, made: Made) -> Made:
    """Publish what the stage made; return it with a sentence that says what came of that."""
    job = _Job(attempt, situation, made.entry)
    specs = situation.manifest.stage(made.step.name).publish
    said = _publish(job, [*_outputs(job, made.step.name, specs), *_stored(job)])
    return replace(made, sentence="; ".join([made.sentence, *said]))


def publish_report(attempt: Attempt, situation: Situation, report: Reported) -> Reported:
    """Publish the frames and models that the template stored, unless it raised."""
    if report.failure is not None:
        return report
    job = _Job(attempt, situation, report.entry)
    said = _publish(job, [*_stored(job)])
    sentence = "; ".join([report.decision.sentence, *said])
    return replace(report, decision=replace(report.decision, sentence=sentence))


def _outputs(job: _Job, stage: str, specs: tuple[PublishSpec, ...]) -> Iterator[NewBatch]:
    for spec in specs:
        output = _output(job.record, stage, spec)
        table = _table(job.record, output.name)
        yield NewBatch(
            dataset=spec.dataset,
            partition=filled(spec.partition, job.situation.params),
            sha256=output.sha256,
            size=output.size,
            media_type=output.media_type,
            filename=output.filename,
            rows=table.get("rows"),
            columns=table.get("columns"),
            **_made_by(job, f"output {output.name}"),
        )


def _table(record: Record, output: str) -> Mapping[str, Any]:
    """Return rows and columns of an output, where whoever wrote it told them."""
    queries = record.extra.get("queries") or [{}]
    table: Mapping[str, Any] = record.extra.get("tables", {}).get(output, queries[0])
    return table


def _output(record: Record, stage: str, spec: PublishSpec) -> Output:
    names = [output.name for output in record.outputs]
    name = spec.output if spec.output is not None else names[0]
    found = record.output(name)
    if found is None or (spec.output is None and len(names) > 1):
        told = f"no output {name!r}" if found is None else "several outputs"
        failure = Failure(
            "publish",
            f"Stage {stage} is to publish to {spec.dataset}, but left {told}; "
            f"it left: {', '.join(names)}.",
            hint=f'Say which in [stages.{stage}]: publish = {{ …, output = "{names[0]}" }}.',
        )
        raise StageFailedError(stage, failure)
    return found


def _stored(job: _Job) -> Iterator[NewBatch]:
    for found in job.record.extra.get("batches", ()):
        yield NewBatch(
            dataset=found["dataset"],
            partition=found["partition"],
            rows=found["rows"],
            columns=found["columns"],
            **_file(found),
            **_made_by(job, "stored"),
        )
    for found in job.record.extra.get("models", ()):
        yield NewBatch(
            dataset=found["name"],
            kind=MODEL,
            details=model_details(found["metadata"], found["metrics"], found["format"]),
            **_file(found),
            **_made_by(job, "stored"),
        )


def _file(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in ("sha256", "size", "media_type", "filename")}


def _made_by(job: _Job, what: str) -> dict[str, Any]:
    """Return who made a batch; under its key the same result never becomes a second one."""
    return {
        "actor": job.asked.actor,
        "record": job.entry.record_id,
        "run_id": job.asked.run_id,
        "idempotency_key": f"{job.entry.record_id}:{what}",
    }


def _publish(job: _Job, news: list[NewBatch]) -> list[str]:
    """Write *news* and move their pointers in one transaction; return what to say of each."""
    if not news or job.asked.purpose == REPRODUCE:
        return []  # what is made again is looked at, and belongs to nobody
    _fetch_records(job, news)
    with job.attempt.installation.ledger.writing() as session:
        note(session, job.attempt.claim)  # who lost its claim publishes nothing
        # Always in the same order, so that no two runs wait for each other.
        ordered = sorted(news, key=lambda new: (new.kind, new.dataset, new.partition))
        said = [_publish_one(session, job, new) for new in ordered]
    told = [one for one in said if one]
    for one in told:
        job.attempt.tell("publishing", {"event": "log", "text": f"{one}\n", "said": True})
    return told


def _fetch_records(job: _Job, news: list[NewBatch]) -> None:
    """Have a copy of the records that the rules read: a bucket is slow, the ledger is held."""
    installation = job.attempt.installation
    if not installation.store.is_remote:
        return
    with installation.ledger.reading() as session:
        pointers = [pointer_of(session, new.kind, new.dataset, new.partition) for new in news]
        current = [session.get(Batch, one.batch_id) for one in pointers if one and one.batch_id]
    for batch in current:
        read_record(installation.store, batch.record if batch else None)


def _publish_one(session: Session, job: _Job, new: NewBatch) -> str:
    batch = stage_batch(session, new)
    title = f"{label(new.kind, new.dataset, batch.partition.name)} {number_word(new.kind)}"
    title = f"{title} {batch.number}"
    reason = ""
    # A second look after a conflict: what won may be older work of this very stage.
    for _ in range(2):
        found = why_not(session, job.work, batch)
        if found == "":
            return ""  # it is current already
        reason = held_back(job.asked, job.situation, job.record) or found or ""
        if reason:
            break
        try:
            _move(session, job, new, batch)
        except ConflictError as error:
            reason = error.message
        else:
            return f"published {title}"
    return f"{title} is kept unpublished: {reason}"


def _move(session: Session, job: _Job, new: NewBatch, batch: Batch) -> None:
    seen = version_seen(session, new.kind, new.dataset, batch.partition.name)
    made_by = "report" if job.record.kind == "report" else "stage"
    reason = f"{made_by} {job.record.name} of {job.asked.project}"
    publish(session, batch, seen, By(job.asked.actor, reason, job.asked.run_id))


def held_back(asked: Asked, situation: Situation, record: Record) -> str | None:
    """Return why a run of this kind moves no pointer; None where it may."""
    return next(_reasons(asked, situation, record), None)


def _reasons(asked: Asked, situation: Situation, record: Record) -> Iterator[str]:
    if asked.purpose is not None:
        yield "the run only looks at what another made, or would have made"
    if not asked.data.usual:
        yield "the run read other data than the current"
    if record.run.get("tainted"):
        yield "its code or a package changed while it ran"
    if any(not check["ok"] for check in record.extra.get("checks", ())):
        yield "a check of its own failed"
    if asked.data.publish:
        return
    if situation.checkout.dirty:
        yield "the working tree has uncommitted changes (--publish does it all the same)"
    if asked.branch != asked.default_branch:
        ours = f"branch {asked.branch}" if asked.branch else "no branch"
        yield f"only runs of {asked.default_branch} publish, this one is of {ours}"
