"""Keeping what a job came to: its record, and whether that may stand for its key."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from pipeline.attempt import Attempt
from pipeline.environments import Environment
from pipeline.kept_sources import keep_sources
from pipeline.laying import told_of_batch
from pipeline.observation import told_of_observed
from pipeline.situation import Situation
from pipeline.step import InputFile, Step
from provenance.cache import Entry
from provenance.identity.observed import Observed
from provenance.ledger.key_events import NONDETERMINISTIC, Odd, note_key_event
from provenance.record import Output, Record, keep_record

_NEVER_TWICE = frozenset({"sql", "report"})
"""Kinds of jobs whose outputs differ from time to time without anything being wrong."""


@dataclass(frozen=True)
class Finished:
    """A job that has just been executed."""

    step: Step
    began: datetime
    outputs: tuple[Output, ...]
    extra: Mapping[str, Any]
    observed: Observed
    kernel: str | None = None
    """``warm`` or ``cold``, where a kernel executed it and that is known."""


def make_record(attempt: Attempt, situation: Situation, done: Finished) -> Record:
    """Return the record of an execution; the text of its code is kept as well."""
    checkout, step = situation.checkout, done.step
    code = {**step.code, **told_of_observed(done.observed)}
    keep_sources(attempt.installation.store, checkout.root, code)
    return Record(
        kind=step.preimage.kind,
        name=step.preimage.stage,
        key=step.key,
        preimage=step.preimage.to_json(),
        outputs=done.outputs,
        run=attempt.told(done.began) | ({"kernel": done.kernel} if done.kernel else {}),
        code={
            "project": situation.manifest.name,
            "commit": checkout.commit.sha,
            "dirty": checkout.dirty,
            **code,
        },
        params={
            name: {**typed, "origin": situation.origins[name]}
            for name, typed in situation.typed(step.params).items()
        },
        inputs=tuple(_told_of_input(file) for file in step.inputs),
        environment=_told_of_environment(situation.environment),
        extra=done.extra,
    )


def keep(attempt: Attempt, record: Record, *, forced: bool) -> Entry:
    """Let the record stand for its key; what was there before stays, unless it was *forced*.

    That two executions of one key gave other outputs is noted: something that nobody recorded
    has a say in them. Rows of a source are no such thing; they change as they do. Nor are a
    report's notebook and page, which always tell the time.
    """

    def note(stands: Entry, other: Entry) -> None:
        odd = Odd(stands.record_id, other.record_id, attempt.claim.id)
        with attempt.installation.ledger.writing() as session:
            note_key_event(session, record.key, NONDETERMINISTIC, odd)

    cache = attempt.installation.cache
    if record.kind in _NEVER_TWICE:
        return cache.commit(record, replace=forced)
    return cache.commit(record, replace=forced, on_other=note)


def keep_tainted(attempt: Attempt, record: Record) -> Entry:
    """Keep the record of a job whose code or packages changed meanwhile, but for this run alone.

    Nobody knows which of the two it executed, so it must never stand for either.
    """
    tainted = replace(record, run={**record.run, "tainted": True})
    return keep_apart(attempt, tainted)


def keep_apart(attempt: Attempt, record: Record) -> Entry:
    """Keep the record for this run alone: it stands for no key."""
    return Entry(record, keep_record(attempt.installation.store, record).sha256)


def _told_of_input(file: InputFile) -> dict[str, Any]:
    # The file's own name comes last: an output is called by its stage's name for it.
    # Two records can stand under one key, so the one that was taken from is named as well.
    producer = {
        "producer": file.producer,
        "producer_key": file.producer_key,
        "producer_record": file.record,
    }
    batch = told_of_batch(file.batch)
    return {**asdict(file.output), **producer, **batch, "name": file.full_name}


def _told_of_environment(environment: Environment) -> dict[str, Any]:
    facts = environment.facts
    return {
        "key": environment.key,
        "python": facts.python,
        "platform": facts.platform,
        "packages": {dist.name: dist.version for dist in facts.distributions},
        "seeds": {"PYTHONHASHSEED": "0"},
    }
