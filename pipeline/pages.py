"""The page of a run: rendered after its execution, or anew around results that it reuses."""

import json
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from pipeline.asked import Asked
from pipeline.attempt import Attempt
from pipeline.rendering.colophon import Colophon, EnvironmentLine, InputLine, StageLine
from pipeline.runner.client import RunnerDiedError, RunnerFailedError, RunnerStoppedError
from pipeline.runner.messages import RenderJob
from pipeline.situation import Situation
from pipeline.step import number_word
from pipeline.workplace import Workplace
from provenance.identity.key import Preimage
from provenance.ledger.states import Verdict
from provenance.record import Output, Record

if TYPE_CHECKING:
    from pipeline.jobs import Made
    from pipeline.reporting import Reported

_log = structlog.get_logger()
NOTEBOOK, HTML = "notebook", "html"
MEDIA = {".html": "text/html", ".ipynb": "application/x-ipynb+json", ".png": "image/png"}
RENDER = "render"
_RENDER_SECONDS = 120.0


def with_page(
    attempt: Attempt, place: Workplace, notebook: Path, record: Record, page: Colophon
) -> Record:
    """Render the executed *notebook*, and return *record* with the page among its outputs.

    Where no cell was executed there is no page.
    """
    if record.output(NOTEBOOK) is None:
        return record
    job = _job(place, notebook, None, record, page)
    return replace(record, outputs=(*record.outputs, *_rendered(attempt, job)))


def page_anew(
    attempt: Attempt, situation: Situation, reported: "Reported", page: Colophon
) -> Record:
    """Return the record whose notebook and page stand for a report that is reused.

    That is the report's own, unless its prose or the theme has changed since it was executed,
    or no page came of it: then the words of now are put around what its code gave, once.
    """
    record = reported.entry.record
    executed = record.output(NOTEBOOK)
    prose = reported.step.definition.content["prose"]
    same = record.code.get("prose") == prose and record.output(HTML) is not None
    if executed is None or same:
        return record
    cache = attempt.installation.cache
    preimage = Preimage(
        kind=RENDER,
        stage=situation.report,
        code={"prose": prose},
        params={},
        inputs={"notebook": executed.sha256},
        outputs=(),
        environment={},
    )
    with cache.single_flight(preimage.key, attempt.check):
        entry = cache.lookup(preimage.key)
        if entry is not None:
            return entry.record
        return _render_anew(attempt, situation, reported, page, preimage)


def _render_anew(
    attempt: Attempt, situation: Situation, reported: "Reported", page: Colophon, preimage: Preimage
) -> Record:
    cache, old = attempt.installation.cache, reported.entry
    place = attempt.workplace("page")
    notebook, template = place.root / "executed.ipynb", place.root / "template.ipynb"
    cache.store.copy_out(preimage.inputs["notebook"], notebook)
    template.write_bytes(situation.template.notebook_json)
    began = datetime.now(UTC)
    outputs = tuple(_rendered(attempt, _job(place, notebook, template, old.record, page)))
    record = Record(
        kind=RENDER,
        name=situation.report,
        key=preimage.key,
        preimage=preimage.to_json(),
        outputs=outputs,
        run=attempt.told(began),
        code={
            "project": situation.manifest.name,
            "commit": situation.checkout.commit.sha,
            "dirty": situation.checkout.dirty,
            "template": situation.template.path,
            "prose": reported.step.definition.content["prose"],
        },
        params={},
        inputs=tuple(_told_of_notebook(old.record)),
        environment={},
        extra={"executed": old.record_id},
    )
    # Without a page it is not kept: the next run tries again.
    return cache.commit(record).record if record.output(HTML) else record


def _job(
    place: Workplace, notebook: Path, template: Path | None, record: Record, page: Colophon
) -> RenderJob:
    return RenderJob(
        workplace=str(place.root),
        notebook=str(notebook),
        template=str(template) if template else None,
        colophon=json.loads(json.dumps(asdict(page), default=str)),
        record=record.as_json(),
    )


def _rendered(attempt: Attempt, job: RenderJob) -> Iterator[Output]:
    """Let the runner render, and keep what it made: the page, and the notebook if it is new.

    A page is made for a run that was cancelled or ran out of time too, so the attempt's own
    end is not looked for here.
    """
    until = time.monotonic() + _RENDER_SECONDS
    try:
        result = attempt.runner.call(
            job, lambda _: None, lambda: Verdict.TIMED_OUT if time.monotonic() > until else None
        )
    except (RunnerFailedError, RunnerStoppedError, RunnerDiedError) as error:
        # The run is what it is without a page too: its notebook, metrics and checks are kept.
        _log.error("page not rendered", run=attempt.claim.id, error=error.message)
        return
    for name, path, filename in (
        (NOTEBOOK, result["notebook"], "notebook.ipynb"),
        (HTML, result["html"], "report.html"),
    ):
        if path is not None:
            blob = attempt.installation.store.put_file(Path(path))
            yield Output(name, blob.sha256, blob.size, MEDIA[Path(path).suffix], filename)


def _told_of_notebook(record: Record) -> Iterator[dict[str, object]]:
    for output in record.outputs:
        if output.name == NOTEBOOK:
            made = {"producer": f"report:{record.name}", "producer_key": record.key}
            yield {**asdict(output), **made}


def colophon(
    situation: Situation,
    asked: Asked,
    reported: "Reported",
    made: Sequence["Made"],
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
                f"{number_word(file.batch.kind)} {file.batch.number}" if file.batch else "",
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
        as_of=situation.as_of,
    )


def reproduce_command(situation: Situation, asked: Asked) -> str:
    """Return the command line that makes the same report again."""
    return asked.reproduce_command(
        {name: typed["value"] for name, typed in situation.typed(situation.params).items()},
        situation.checkout.commit.sha,
    )
