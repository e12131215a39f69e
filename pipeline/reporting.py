"""Making the report of a run: reused when its key has one, executed and rendered otherwise."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pipeline.attempt import Attempt
from pipeline.colophon import colophon
from pipeline.installation import Installation
from pipeline.isolation import isolation_in
from pipeline.jobs import Made
from pipeline.keeping import Finished, keep, keep_apart, keep_tainted, make_record
from pipeline.laying import lay_inputs
from pipeline.limits import granted
from pipeline.notebooks import host_wanted, notebook_job
from pipeline.observation import observed_by
from pipeline.pages import MEDIA, NOTEBOOK, page_anew, with_page
from pipeline.plan import Due, decide, report_step
from pipeline.report import EXECUTED
from pipeline.results import Results, TooManyResultsError, read_results, results_from_json
from pipeline.runner.client import RunnerDiedError, RunnerStoppedError
from pipeline.runner.messages import Failure, ReportJob
from pipeline.situation import Situation
from pipeline.step import RENDERED_ANEW, Decision, Step
from pipeline.stored import PRIVATE, StoredError, keep_stored
from pipeline.untrusted import UntrustedFileError, keep_regular
from pipeline.workplace import Workplace
from provenance.cache import Entry
from provenance.ledger.states import REUSABLE, Verdict, verdict_of
from provenance.record import Output, Record


@dataclass(frozen=True)
class Executed:
    """How a template was executed just now: what it takes to do it once more."""

    situation: Situation
    kernel: str | None
    """``warm`` or ``cold``; None where it did not come to its end."""


@dataclass(frozen=True)
class Reported:
    """A report that has come to its end, well or not."""

    step: Step
    entry: Entry
    page: Record
    """The record whose notebook and page are shown; not the entry's where prose is new."""
    verdict: Verdict
    failure: Failure | None
    results: Results
    decision: Decision
    seconds: float
    executed: Executed | None = None
    """None where it is reused."""

    @property
    def reused(self) -> bool:
        """Whether an earlier run's page stands for this one too."""
        return self.decision.entry is not None

    @property
    def as_job(self) -> Made:
        """The same as one job among those of the run."""
        status = "reused" if self.reused else "executed"
        told = self.decision
        return Made(self.step, self.entry, status, told.reason, told.sentence, self.seconds)


def make_report(attempt: Attempt, situation: Situation, due: Due, made: Sequence[Made]) -> Reported:
    """Return the report that is due, executing its template if it has none yet."""
    cache, started = attempt.installation.cache, time.monotonic()
    decision = decide(cache, situation, due)
    if decision.entry is None:
        attempt.expect(partial(host_wanted, situation))
        with cache.single_flight(due.step.key, attempt.check):
            decision = decide(cache, situation, due)
            if decision.entry is None:
                return _execute(attempt, situation, due.step, made, decision)
    entry = decision.entry
    assert entry is not None  # noqa: S101
    results = stage_results(made) + results_from_json(dict(entry.record.extra))
    verdict, seconds = _verdict(results, None), _since(started)
    reported = Reported(due.step, entry, entry.record, verdict, None, results, decision, seconds)
    return _with_page_of_now(attempt, situation, reported, made)


def _with_page_of_now(
    attempt: Attempt, situation: Situation, reported: Reported, made: Sequence[Made]
) -> Reported:
    """Give a report that is reused the page that its prose makes now."""
    words = colophon(situation, attempt.asked, reported, made)
    page = page_anew(attempt, situation, reported, words)
    if page is reported.entry.record:
        return reported
    sentence = f"{reported.decision.sentence}; {RENDERED_ANEW}"
    return replace(reported, page=page, decision=replace(reported.decision, sentence=sentence))


def stage_results(made: Sequence[Made]) -> Results:
    """Return the metrics and checks that the stages recorded, in the order of the stages."""
    results = Results()
    for one in made:
        results += results_from_json(dict(one.entry.record.extra))
    return results


def _verdict(results: Results, failure: Failure | None) -> Verdict:
    if failure is not None:
        return verdict_of(failure.kind)
    return Verdict.PASSED if all(check.ok for check in results.checks) else Verdict.FAILED


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


def _execute(
    attempt: Attempt,
    situation: Situation,
    step: Step,
    made: Sequence[Made],
    decision: Decision,
) -> Reported:
    began, started = datetime.now(UTC), time.monotonic()
    place = attempt.workplace("report")
    kernel, failure = _run_template(attempt, situation, step, place)
    came = _came_to(attempt, place, failure)
    results = stage_results(made) + came.results
    verdict, seconds = _verdict(results, came.failure), _since(started)
    observed = observed_by(situation, step, place, began)
    extra = _extra(attempt, came, verdict)
    finished = Finished(step, began, tuple(_outputs(attempt, place)), extra, observed, kernel)
    record = make_record(attempt, situation, finished)
    reported = Reported(
        step, Entry(record, ""), record, verdict, came.failure, results, decision, seconds
    )
    words = colophon(situation, attempt.asked, reported, made)
    record = with_page(attempt, place, place.ours / EXECUTED, record, words)
    if verdict not in REUSABLE:
        entry = keep_apart(attempt, record)
    elif observed.is_sure and key_now(situation, made) == step.key:
        entry = keep(attempt, record, forced=decision.reason == "forced")
    else:
        entry = keep_tainted(attempt, record)
    return replace(reported, entry=entry, page=entry.record, executed=Executed(situation, kernel))


@dataclass(frozen=True)
class _CameTo:
    """What the template left beside its cells, and what stopped it."""

    failure: Failure | None
    results: Results
    stored: Mapping[str, Any]


def _came_to(attempt: Attempt, place: Workplace, failure: Failure | None) -> _CameTo:
    """Read what the template recorded and stored; what cannot be kept of it is its failure."""
    results, stored = Results(), dict[str, Any]()
    try:
        results = read_results(place.results)
    except (TooManyResultsError, UntrustedFileError) as error:
        told = f"What the template recorded cannot be kept: {error}."
        failure = Failure("results", told)
    try:
        stored = keep_stored(attempt.installation.store, place)
    except StoredError as error:
        failure = failure or Failure("publish", str(error))
    return _CameTo(failure, results, stored)


def _extra(attempt: Attempt, came: _CameTo, verdict: Verdict) -> dict[str, Any]:
    """Return what the record says beside the outputs."""
    extra = came.results.as_json() | {"verdict": str(verdict)} | dict(came.stored)
    if printed := attempt.printed("report"):
        extra["log"] = attempt.installation.store.put_bytes(printed).sha256
    return extra


def key_now(situation: Situation, made: Sequence[Made]) -> str:
    """Return the report's key as files and packages are now: they may have changed meanwhile."""
    return report_step(situation.as_now(), {one.step.name: one.entry for one in made}).key


def report_job(
    installation: Installation, situation: Situation, step: Step, place: Workplace
) -> ReportJob:
    """Lay inputs and template into the workplace, and return the job of executing the report."""
    lay_inputs(installation.store, place, step.inputs)
    allowed = granted(installation.limits, situation.manifest, situation.spec)
    job = notebook_job(situation, situation.template, step, place, allowed)
    job.context["kind"] = "report"
    return replace(job, isolation=isolation_in(installation, situation, place))


def _run_template(
    attempt: Attempt, situation: Situation, step: Step, place: Workplace
) -> tuple[str | None, Failure | None]:
    """Execute the template, and return how its kernel came to be, and what stopped it.

    What it has done so far is kept.
    """
    try:
        result = attempt.perform(report_job(attempt.installation, situation, step, place))
    except RunnerStoppedError as stopped:
        if stopped.reason == Verdict.WORKER_LOST:
            raise
        return None, _stopped(attempt, Verdict(stopped.reason))
    except RunnerDiedError as died:
        return None, Failure("died", died.message, hint="Memory may have been short.")
    return result["kernel"], Failure(**result["failure"]) if result["failure"] else None


def _stopped(attempt: Attempt, reason: Verdict) -> Failure:
    if reason == Verdict.CANCELLED:
        return Failure(reason, "The run was cancelled.")
    told = f"The run ran out of its time: {attempt.granted:g} s are allowed."
    return Failure(reason, told, hint="`timeout` of the report in provenote.toml says how long.")


def _outputs(attempt: Attempt, place: Workplace) -> Iterator[Output]:
    """Keep the executed notebook, and the files that the template left through the SDK."""
    store = attempt.installation.store
    executed = place.ours / EXECUTED
    if executed.is_file():
        blob = keep_regular(store, executed)
        yield Output(NOTEBOOK, blob.sha256, blob.size, MEDIA[".ipynb"], "notebook.ipynb")
    for path in sorted(place.outputs.rglob("*")):
        name = str(path.relative_to(place.outputs))
        if name.startswith(f"{PRIVATE}/"):
            continue
        try:
            # A link is no output: it could lead anywhere on this machine.
            name.encode()
            blob = keep_regular(store, path)
        except (OSError, UnicodeError, UntrustedFileError):
            continue
        media = MEDIA.get(path.suffix, "application/octet-stream")
        yield Output(f"file:{name}", blob.sha256, blob.size, media, path.name)
