"""The pages of one run: its report, and beside it notebook, provenance and log."""

import json
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.archive.artifacts import NoArtifactError, artifact
from app.archive.graph import HEIGHT, WIDTH, graph_of, shortened
from app.archive.live import live_view
from app.archive.made_from import made_from
from app.archive.notebook_view import notebook_view
from app.archive.notes import notes_of
from app.current import installation, settings
from app.exports import file_name
from app.printing import can_print
from app.reproduced import reproductions
from app.sharing.links import end_of
from provenance.ledger.queries.kernels import proof_of_run
from provenance.ledger.queries.run import RunPage, run_page
from provenance.ledger.reproductions import answer_of
from provenance.ledger.shares import shares_of
from provenance.ledger.states import ENDED, Verdict
from provenance.ledger.tables import Evaluation, Run
from provenance.nearest import did_you_mean_or_all, shown
from provenance.readings import Reading, readings
from provenance.store import MissingObjectError
from provenance.story import Story, load_story
from provenance.text import readable

LONGEST_LOG = 500_000
LONGEST_RECORD = 2_000_000
_TROUBLE = {
    Verdict.FAILED: "A check failed",
    Verdict.ERROR: "The code raised an error",
    Verdict.CANCELLED: "It was cancelled",
    Verdict.OUTPUT_LIMIT: "It wrote more than a run may",
    Verdict.OUT_OF_MEMORY: "It ran out of memory",
    Verdict.TIMED_OUT: "It took longer than a run may",
    Verdict.WORKER_LOST: "Its worker was lost; the code is not to blame",
}

_OTHER_TROUBLE = {
    "environment": "Its environment could not be built",
    "provenote": "provenote made a mistake; the code is not to blame",
}
"""By the kind of an error, where the verdict alone would blame the code."""


def run(run_id: str) -> str:
    """Show the run with its report, or its progress while it is under way."""
    with installation().ledger.reading() as session:
        page = run_page(session, run_id)
        evaluation = session.get_one(Evaluation, page.run.evaluation_id)
        live = live_view(session, page.run) if page.run.status not in ENDED else None
        reproduced = reproductions(session, run_id)
        answer = answer_of(session, run_id)
        distrusted = proof_of_run(session, run_id)
        notes = notes_of(session, run_id)
        shares = shares_of(session, run_id)
        made = made_from(session, installation().store, page.run, evaluation)
    error = page.run.error or {}
    return render_template(
        "archive/run.html",
        page=page,
        tab="run",
        made=made,
        notes=notes,
        trouble=_trouble(page.run.verdict, error.get("kind")),
        traceback=readable(str(error.get("traceback") or "")),
        live=live,
        reproduced=reproduced,
        answer=answer,
        prints=can_print(settings()),
        distrusted=distrusted,
        shares=shares,
        share_until=f"{end_of(None, None):%Y-%m-%d}",
    )


def notebook(run_id: str) -> ResponseReturnValue:
    """Show the executed notebook; with ``?download=1`` send it."""
    page = _page(run_id)
    if "download" in request.args:
        name = file_name(page.run, "ipynb")
        content_type = "application/x-ipynb+json"
        return artifact(page.run, page.run.notebook, "notebook", content_type, name)
    if page.run.notebook is None:
        raise NoArtifactError(f"Run {run_id} has no notebook.", "Its page tells how far it came.")
    content = notebook_view(installation().store.read(page.run.notebook))
    return render_template("archive/notebook.html", page=page, tab="notebook", notebook=content)


def provenance(run_id: str) -> ResponseReturnValue:
    """Show what was executed and reused and why; with ``?format=json`` send the record.

    That is the report's; with ``?job=`` the one of a stage.
    """
    page = _page(run_id)
    job = request.args.get("job", "")
    record = _record_of(page.run, job) if job else page.run.record
    if request.args.get("format") == "json":
        return artifact(page.run, record, "record", "application/json")
    with installation().ledger.reading() as session:
        story = load_story(session, installation().store, run_id, whole=False)
    return render_template(
        "archive/provenance.html",
        page=page,
        tab="provenance",
        run=page.run,
        job=job,
        record_id=record,
        record=_record_text(record),
        sources=_sources(story),
        graph=graph_of(story),
        shortened=shortened,
        box=(WIDTH, HEIGHT),
    )


def log(run_id: str) -> ResponseReturnValue:
    """Show the end of the run's log; with ``?download=1`` send it whole."""
    page = _page(run_id)
    if "download" in request.args:
        return artifact(
            page.run, page.run.log, "log", "text/plain; charset=utf-8", f"{page.run.id}.log"
        )
    data = installation().store.read(page.run.log) if page.run.log else None
    text = None if data is None else readable(data[-LONGEST_LOG:].decode(errors="replace"))
    cut = LONGEST_LOG if data is not None and len(data) > LONGEST_LOG else None
    return render_template("archive/log.html", page=page, tab="log", text=text, cut=cut)


def _page(run_id: str) -> RunPage:
    with installation().ledger.reading() as session:
        return run_page(session, run_id)


def _record_of(run: Run, job: str) -> str | None:
    """Return the record that a job of *run* stands on; raise where there is no such job."""
    found = next((one for one in run.jobs if one.stage == job), None)
    if found is None:
        hint = did_you_mean_or_all(job, [one.stage for one in run.jobs])
        raise NoArtifactError(f"Run {run.id} has no job {shown(job)}.", hint)
    return found.record


def _sources(story: Story) -> list[tuple[str, Reading]]:
    """Return what the stages of a run have read from sources, as far as records are there."""
    return [(job.name, one) for job in story.jobs if job.record for one in readings(job.record)]


def _trouble(verdict: str | None, kind: object) -> str:
    if kind in _OTHER_TROUBLE:
        return _OTHER_TROUBLE[kind]
    return next((text for code, text in _TROUBLE.items() if code == verdict), "It did not pass")


def _record_text(digest: str | None) -> str:
    """Return the record, set for reading; as it is where it is too long to be set again."""
    if digest is None:
        return ""
    try:
        data = installation().store.read(digest)
    except MissingObjectError:
        return ""
    if len(data) > LONGEST_RECORD:
        return data[:LONGEST_RECORD].decode(errors="replace") + "\n…"
    try:
        content: Any = json.loads(data)
    except ValueError:
        return data.decode(errors="replace")
    return json.dumps(content, indent=2, ensure_ascii=False)
