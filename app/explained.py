"""Explanations and their opposite, as commands, interface and pages ask for them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.installation import Installation
from provenance.errors import InvalidInputError, NotFoundError
from provenance.explain.load import explain_runs, tell_run
from provenance.ledger.queries.metrics import previous_runs
from provenance.ledger.queries.used_by import used_by
from provenance.ledger.queries.used_things import THINGS, Thing, Wanted
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Project, Run

LATEST = "latest"
_DIGITS = frozenset("0123456789abcdef")
_LEAST_DIGITS = 8


class NoOtherRunError(NotFoundError):
    """Raised when there is no run to compare with, or none at all."""

    code = "no_other_run"


class WhichThingError(InvalidInputError):
    """Raised when not exactly one thing is named whose users are looked for."""

    code = "which_thing"


def explained(session: Session, installation: Installation, a: str, b: str | None) -> Any:
    """Return why run *b* is not what run *a* is, or the story of *a* alone, as JSON values."""
    nothing: dict[str, Any] = {
        "causes": [],
        "jobs": [],
        "results": None,
        "notes": [],
        "same_result": False,
        "lines": [],
    }
    if b is not None:
        return nothing | explain_runs(session, installation.store, a, b).as_json()
    told = tell_run(session, installation.store, a).as_json()
    return {"a": told.pop("run"), "b": None, **nothing, **told}


def run_meant(session: Session, name: str, project: str | None = None) -> str:
    """Return the id of the run that *name* means: an id, or ``latest``.

    With *project* that is the newest one of this project. Raises NoOtherRunError.
    """
    if name != LATEST:
        return name
    newest = select(func.max(Run.id)).where(
        Run.status == Status.FINISHED, Run.verdict != Verdict.CANCELLED, Run.purpose.is_(None)
    )
    if project is not None:
        newest = newest.where(Run.project.has(Project.name == project))
    found = session.scalar(newest)
    if found is None:
        of = f" of project {project!r}" if project is not None else ""
        raise NoOtherRunError(f"No run{of} has finished yet.", "`provenote run` makes one.")
    return found


def run_before(session: Session, run_id: str) -> str:
    """Return the run of the same case and branch before *run_id*; raise NoOtherRunError."""
    found = previous_runs(session, [run_id]).get(run_id)
    if found is None:
        raise NoOtherRunError(
            f"There is no run of the same case before {run_id}.",
            "Name the run to compare it with.",
        )
    return found


def wanted_thing(named: Mapping[str, str | None]) -> Wanted:
    """Return the one thing that *named* names by its kind; raise WhichThingError."""
    given = [kind for kind in THINGS if (named.get(kind) or "").strip()]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise WhichThingError(
            f"Found {found}, expected exactly one of {', '.join(THINGS)}.",
            "Such as file=stages/features.py or package=pandas.",
        )
    kind = given[0]
    return Wanted(kind, str(named[kind]).strip(), named.get("project") or None)


def guessed(session: Session, name: str, project: str | None) -> Wanted:
    """Return what *name* most likely names, by its look."""
    return Wanted(_kind(session, name), name, project)


def _kind(session: Session, name: str) -> Thing:
    if name.startswith("batch_"):
        return "batch"
    text = name.lower().removeprefix("sha256:")
    if len(text) >= _LEAST_DIGITS and _DIGITS.issuperset(text):
        return _digest(session, text)
    looks_like_path = "/" in name or "." in name.partition("==")[0]
    return "file" if looks_like_path else "package"


def _digest(session: Session, text: str) -> Thing:
    """Return ``record`` for the beginning of a record's id, else ``artifact``."""
    try:
        used_by(session, Wanted("record", text))
    except (NotFoundError, InvalidInputError):
        return "artifact"
    return "record"
