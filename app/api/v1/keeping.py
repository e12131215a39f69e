"""What people make of runs: tags, pins, comments, deleting; and how long pages are kept."""

from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel, ConfigDict, Field

from app.api.v1.data_models import PinBody, PinObject
from app.api.v1.entrance import make_blueprint
from app.api.v1.models import ProjectPath, RunPath
from app.current import actor, installation
from app.notes_object import notes_object, storage_object
from provenance.datasets.instants import read_end
from provenance.datasets.pins import pin, unpin
from provenance.ledger.bin import delete_runs, restore
from provenance.ledger.finding import find_run
from provenance.ledger.marks import add_comment, add_tag, remove_comment, remove_tag
from provenance.ledger.queries.projects import project_named
from provenance.ledger.queries.storage import ask_to_measure
from provenance.ledger.retention import ALL_REPORTS, set_retention

blueprint = make_blueprint("api_keeping")


class TagPath(RunPath):
    """The path of a tag of a run."""

    tag: str


class CommentPath(BaseModel):
    """The path of a comment."""

    comment_id: str


class DeletionPath(BaseModel):
    """The path of a deletion."""

    deletion: str


class CommentBody(BaseModel):
    """What is said."""

    model_config = ConfigDict(extra="forbid")

    text: str


class DeleteBody(BaseModel):
    """Which runs are deleted."""

    model_config = ConfigDict(extra="forbid")

    runs: list[str] = Field(description="Ids of runs that have ended, 200 at most.")


class KeepBody(BaseModel):
    """For how long pages are kept."""

    model_config = ConfigDict(extra="forbid")

    report: str = Field(ALL_REPORTS, description="Left out: all reports without one of their own.")
    days: int | None = Field(None, description="Null: for ever, or as the project's.")


class CommentObject(BaseModel):
    """What somebody said of a run."""

    id: str
    actor: str
    text: str
    at: str


class NotesObject(BaseModel):
    """What people have made of a run."""

    run: str
    tags: list[str]
    pins: list[PinObject]
    comments: list[CommentObject]


class DeletionObject(BaseModel):
    """Runs that were deleted at once, or brought back."""

    deletion: str
    runs: list[str]


class KeptReport(BaseModel):
    """What a report takes, and for how long its pages are kept."""

    report: str
    runs: int | None
    pages: int | None
    size: int | None
    days: int | None = Field(description="Null: for ever.")


class KeptProjectObject(BaseModel):
    """What a project takes, and its reports."""

    project: str
    runs: int | None
    pages: int | None
    size: int | None
    days: int | None
    reports: list[KeptReport]


class StorageObject(BaseModel):
    """What the archive takes."""

    measured_at: str | None = Field(description="Null while a worker is about to measure it.")
    objects: int | None
    size: int | None
    projects: list[KeptProjectObject]


@blueprint.get("/runs/<string:run_id>/notes", responses={200: NotesObject})
def show_notes(path: RunPath) -> Response:
    """Show the tags, pins and comments of a run."""
    return _notes(path.run_id)


@blueprint.put("/runs/<string:run_id>/tags/<path:tag>", responses={200: NotesObject})
def put_tag(path: TagPath) -> Response:
    """Put a tag on a run."""
    with installation().ledger.writing() as session:
        add_tag(session, path.run_id, path.tag, actor())
    return _notes(path.run_id)


@blueprint.delete("/runs/<string:run_id>/tags/<path:tag>", responses={200: NotesObject})
def delete_tag(path: TagPath) -> Response:
    """Take a tag away."""
    with installation().ledger.writing() as session:
        remove_tag(session, find_run(session, path.run_id).id, path.tag)
    return _notes(path.run_id)


@blueprint.post("/runs/<string:run_id>/pin", responses={200: NotesObject})
def post_pin(path: RunPath, body: PinBody) -> Response:
    """Hold on to a run, so that it is not deleted and its page is kept; or let go of it."""
    ends = read_end(body.until) if body.until else None
    with installation().ledger.writing() as session:
        run = find_run(session, path.run_id)
        if body.pinned:
            pin(session, run.id, actor(), body.reason, ends)
        else:
            unpin(session, run.id, actor())
    return _notes(path.run_id)


@blueprint.post("/runs/<string:run_id>/comments", responses={200: NotesObject})
def post_comment(path: RunPath, body: CommentBody) -> Response:
    """Say something about a run."""
    with installation().ledger.writing() as session:
        add_comment(session, path.run_id, body.text, actor())
    return _notes(path.run_id)


@blueprint.delete("/comments/<string:comment_id>", responses={200: NotesObject})
def delete_comment(path: CommentPath) -> Response:
    """Take back what one has said."""
    with installation().ledger.writing() as session:
        run_id = remove_comment(session, path.comment_id, actor())
    return _notes(run_id)


@blueprint.post("/runs/delete", responses={200: DeletionObject})
def delete(body: DeleteBody) -> Response:
    """Put runs into the bin, all of them or none; it can be undone for 30 days."""
    with installation().ledger.writing() as session:
        deletion = delete_runs(session, body.runs, actor())
    return jsonify({"deletion": deletion, "runs": list(dict.fromkeys(body.runs))})


@blueprint.post("/deletions/<string:deletion>/undo", responses={200: DeletionObject})
def undo(path: DeletionPath) -> Response:
    """Bring back what was deleted at once."""
    with installation().ledger.writing() as session:
        runs = restore(session, path.deletion)
    return jsonify({"deletion": path.deletion, "runs": runs})


@blueprint.get("/storage", responses={200: StorageObject})
def show_storage() -> Response:
    """Show what each report takes, and for how long its pages are kept."""
    return _storage()


@blueprint.post("/storage/measure", responses={200: StorageObject})
def measure() -> Response:
    """Let a worker measure the store anew."""
    with installation().ledger.writing() as session:
        ask_to_measure(session)
    return _storage()


@blueprint.put("/projects/<string:project>/keep", responses={200: StorageObject})
def keep(path: ProjectPath, body: KeepBody) -> Response:
    """Set for how long pages are kept."""
    with installation().ledger.writing() as session:
        project = project_named(session, path.project)
        set_retention(session, project, body.report, body.days, actor())
    return _storage()


def _notes(run_id: str) -> Response:
    with installation().ledger.reading() as session:
        told: dict[str, Any] = notes_object(session, find_run(session, run_id).id)
    return jsonify(told)


def _storage() -> Response:
    with installation().ledger.reading() as session:
        return jsonify(storage_object(session))
