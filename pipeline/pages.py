"""The page of a run: rendered after its execution, or anew around results that it reuses."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from pipeline.attempt import Attempt
from pipeline.rendering.assets import keep_asset
from pipeline.rendering.colophon import Colophon
from pipeline.runner.client import RunnerDiedError, RunnerFailedError, RunnerStoppedError
from pipeline.runner.messages import RenderJob
from pipeline.situation import Situation
from pipeline.workplace import Workplace
from provenance.cache import Entry
from provenance.identity.key import Preimage
from provenance.ledger.states import Verdict
from provenance.record import Output, Record

if TYPE_CHECKING:
    from pipeline.reporting import Reported

_log = structlog.get_logger()
NOTEBOOK, HTML = "notebook", "html"
MEDIA = {".html": "text/html", ".ipynb": "application/x-ipynb+json", ".png": "image/png"}
RENDER = "render"
_RENDER_SECONDS = 120.0
_WRITERS = 8


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
        code=_code_of_page(situation, preimage),
        params={},
        inputs=tuple(_told_of_notebook(old)),
        environment={},
        extra={"executed": old.record_id},
    )
    # Without a page it is not kept: the next run tries again.
    return cache.commit(record).record if record.output(HTML) else record


def _code_of_page(situation: Situation, preimage: Preimage) -> dict[str, Any]:
    return {
        "project": situation.manifest.name,
        "commit": situation.checkout.commit.sha,
        "dirty": situation.checkout.dirty,
        "template": situation.template.path,
        "prose": preimage.code["prose"],
    }


def _job(
    place: Workplace, notebook: Path, template: Path | None, record: Record, page: Colophon
) -> RenderJob:
    return RenderJob(
        workplace=str(place.ours),
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
    store = attempt.installation.store
    # First what the page leads to: it says by their digests what that is. There may be hundreds
    # of figures, and each waits for the disk.
    with ThreadPoolExecutor(_WRITERS) as writers:
        list(writers.map(store.put_file, map(Path, result["parts"])))
    for asset in result["assets"]:
        keep_asset(store, asset)
    for name, path, filename in (
        (NOTEBOOK, result["notebook"], "notebook.ipynb"),
        (HTML, result["html"], "report.html"),
    ):
        if path is not None:
            blob = store.put_file(Path(path))
            yield Output(name, blob.sha256, blob.size, MEDIA[Path(path).suffix], filename)


def _told_of_notebook(entry: Entry) -> Iterator[dict[str, object]]:
    record = entry.record
    for output in record.outputs:
        if output.name == NOTEBOOK:
            made = {"producer": f"report:{record.name}", "producer_key": record.key}
            yield {**asdict(output), **made, "producer_record": entry.record_id}
