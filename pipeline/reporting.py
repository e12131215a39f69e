"""Making the report of a run: reused when its key has one, executed and rendered otherwise."""

import json
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import structlog

from pipeline.asked import Asked
from pipeline.attempt import Attempt
from pipeline.containment import Workplace
from pipeline.jobs import Made, make_record
from pipeline.laying import lay_inputs
from pipeline.notebooks import notebook_job
from pipeline.plan import decide
from pipeline.rendering.colophon import Colophon, EnvironmentLine, InputLine, StageLine
from pipeline.report import EXECUTED
from pipeline.results import Results, TooManyResultsError, read_results, results_from_json
from pipeline.runner.client import RunnerDiedError, RunnerFailedError, RunnerStoppedError
from pipeline.runner.messages import Failure, RenderJob
from pipeline.situation import Situation
from pipeline.step import Decision, Step
from pipeline.untrusted import UntrustedFileError, keep_regular
from provenance.cache import Entry
from provenance.ledger.states import REUSABLE, Verdict, verdict_of
from provenance.record import Output, Record, keep_record

_log = structlog.get_logger()
NOTEBOOK, HTML = "notebook", "html"
_MEDIA = {".html": "text/html", ".ipynb": "application/x-ipynb+json", ".png": "image/png"}
_RENDER_SECONDS = 120.0


@dataclass(frozen=True)
class Reported:
    """A report that has come to its end, well or not."""

    step: Step
    entry: Entry
    verdict: Verdict
    failure: Failure | None
    results: Results
    decision: Decision
    seconds: float

    @property
    def reused(self) -> bool:
        """Whether an earlier run's page stands for this one too."""
        return self.decision.entry is not None


def make_report(
    attempt: Attempt,
    situation: Situation,
    asked: Asked,
    step: Step,
    made: Sequence[Made],
    previous: str | None,
) -> Reported:
    """Return the report of *step*, executing its template if it has none yet."""
    cache = attempt.installation.cache
    started = time.monotonic()
    decision = decide(cache, step, previous, asked.force)
    if decision.entry is None:
        attempt.runner.start()
        with cache.single_flight(step.key, attempt.check):
            decision = decide(cache, step, previous, asked.force)
            if decision.entry is None:
                return _execute(attempt, situation, asked, step, made, decision)
    entry = decision.entry
    assert entry is not None  # noqa: S101
    results = stage_results(made) + results_from_json(dict(entry.record.extra))
    seconds = round(time.monotonic() - started, 3)
    return Reported(step, entry, _verdict(results, None), None, results, decision, seconds)


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


def _execute(
    attempt: Attempt,
    situation: Situation,
    asked: Asked,
    step: Step,
    made: Sequence[Made],
    decision: Decision,
) -> Reported:
    began, started = datetime.now(UTC), time.monotonic()
    place = attempt.workplace("report")
    lay_inputs(attempt.installation.cache, place, step.inputs)
    failure = _run_template(attempt, situation, step, place)
    try:
        own = read_results(place.results)
    except (TooManyResultsError, UntrustedFileError) as error:
        told = f"What the template recorded cannot be kept: {error}."
        own, failure = Results(), Failure("results", told)
    results = stage_results(made) + own
    verdict = _verdict(results, failure)
    seconds = round(time.monotonic() - started, 3)
    outputs = tuple(_outputs(attempt, place))
    extra = own.as_json() | {"verdict": str(verdict)}
    if printed := attempt.printed("report"):
        extra["log"] = attempt.installation.store.put_bytes(printed).sha256
    record = make_record(attempt, situation, step, outputs, began, extra)
    reported = Reported(step, Entry(record, ""), verdict, failure, results, decision, seconds)
    page = colophon(situation, asked, reported, made)
    record = _with_page(attempt, place, record, page)
    if verdict in REUSABLE:
        entry = attempt.installation.cache.commit(record, replace=decision.reason == "forced")
    else:
        entry = Entry(record, keep_record(attempt.installation.store, record).sha256)
    return replace(reported, entry=entry)


def _run_template(
    attempt: Attempt, situation: Situation, step: Step, place: Workplace
) -> Failure | None:
    """Execute the template; what stops it is returned, and what it has done so far is kept."""
    seconds = attempt.installation.limits.cell_seconds
    job = notebook_job(situation, situation.template, step, place, seconds)
    job.context["kind"] = "report"
    try:
        result = attempt.perform(job)
    except RunnerStoppedError as stopped:
        if stopped.reason == Verdict.WORKER_LOST:
            raise
        words = {Verdict.CANCELLED: "was cancelled", Verdict.TIMED_OUT: "ran out of its time"}
        return Failure(stopped.reason, f"The run {words[Verdict(stopped.reason)]}.")
    except RunnerDiedError as died:
        return Failure("died", died.message, hint="Memory may have been short.")
    return Failure(**result["failure"]) if result["failure"] else None


def _outputs(attempt: Attempt, place: Workplace) -> Iterator[Output]:
    """Keep the executed notebook, and the files that the template left through the SDK."""
    store = attempt.installation.store
    executed = place.root / EXECUTED
    if executed.is_file():
        blob = keep_regular(store, executed)
        yield Output(NOTEBOOK, blob.sha256, blob.size, _MEDIA[".ipynb"], "notebook.ipynb")
    for path in sorted(place.outputs.rglob("*")):
        name = str(path.relative_to(place.outputs))
        try:
            # A link is no output: it could lead anywhere on this machine.
            name.encode()
            blob = keep_regular(store, path)
        except (OSError, UnicodeError, UntrustedFileError):
            continue
        media = _MEDIA.get(path.suffix, "application/octet-stream")
        yield Output(f"file:{name}", blob.sha256, blob.size, media, path.name)


def _with_page(attempt: Attempt, place: Workplace, record: Record, page: Colophon) -> Record:
    """Render the page, if a cell was executed at all, and add it to the outputs.

    A page is made for a run that was cancelled or ran out of time too, so the attempt's
    own end is not looked for here.
    """
    if record.output(NOTEBOOK) is None:
        return record
    until = time.monotonic() + _RENDER_SECONDS
    job = RenderJob(
        workplace=str(place.root),
        notebook=str(place.root / EXECUTED),
        colophon=json.loads(json.dumps(asdict(page), default=str)),
        record=record.as_json(),
    )
    try:
        result = attempt.runner.call(
            job, lambda _: None, lambda: Verdict.TIMED_OUT if time.monotonic() > until else None
        )
    except (RunnerFailedError, RunnerStoppedError, RunnerDiedError) as error:
        # The run is what it is without a page too: its notebook, metrics and checks are kept.
        _log.error("page not rendered", run=attempt.claim.id, error=error.message)
        return record
    blob = attempt.installation.store.put_file(Path(result["html"]))
    html = Output(HTML, blob.sha256, blob.size, _MEDIA[".html"], "report.html")
    return replace(record, outputs=(*record.outputs, html))


def colophon(
    situation: Situation,
    asked: Asked,
    reported: Reported,
    made: Sequence[Made],
) -> Colophon:
    """Return what the page says at its end about how it came to be."""
    step, checkout = reported.step, situation.checkout
    facts = situation.environment.facts
    imported = set(step.code["imports"])
    main = {d.name: d.version for d in facts.distributions if imported.intersection(d.modules)}
    return Colophon(
        project=situation.manifest.name,
        report=situation.report,
        title=situation.spec.title or situation.template.title or situation.report,
        commit=checkout.commit.sha,
        branch=asked.branch,
        subject=checkout.commit.subject,
        author=checkout.commit.author,
        committed_at=checkout.commit.committed_at,
        dirty=checkout.dirty,
        params={name: typed["value"] for name, typed in situation.typed(situation.params).items()},
        origins=situation.origins,
        inputs=tuple(
            InputLine(
                file.full_name,
                file.output.sha256,
                file.output.size,
                file.output.media_type,
                file.producer,
                file.producer_key,
            )
            for file in step.inputs
        ),
        stages=tuple(StageLine(one.step.name, one.step.key, one.status) for one in made),
        key=step.key,
        verdict=str(reported.verdict),
        error=reported.failure.message if reported.failure else "",
        checks=tuple((check.ok, check.message) for check in reported.results.checks),
        metrics=tuple((m.name, m.value, m.unit, m.better) for m in reported.results.metrics),
        environment=EnvironmentLine(
            facts.python, situation.environment.key, len(facts.distributions), main
        ),
        trigger=asked.trigger,
        actor=asked.actor,
        started_at=datetime.fromisoformat(str(reported.entry.record.run["started_at"])),
        seconds=reported.seconds,
        host=socket.gethostname(),
        provenote_version=version("provenote"),
        reproduce=reproduce_command(situation, asked),
    )


def reproduce_command(situation: Situation, asked: Asked) -> str:
    """Return the command line that makes the same report again."""
    return asked.reproduce_command(
        {name: typed["value"] for name, typed in situation.typed(situation.params).items()},
        situation.checkout.commit.sha,
    )
