"""Notes on runs, and what the archive takes, in JSON form."""

from typing import Any

from sqlalchemy.orm import Session

from app.data_object import pin_object
from app.run_object import instant
from provenance.datasets.pins import pins_of
from provenance.ledger.marks import comments_of, tags_of
from provenance.ledger.queries.storage import Kept, kept_projects, whole_store

Json = dict[str, Any]


def notes_object(session: Session, run_id: str) -> Json:
    """Return the tags, pins and comments of a run."""
    return {
        "run": run_id,
        "tags": tags_of(session, run_id),
        "pins": [pin_object(one) for one in pins_of(session, run_id)],
        "comments": [
            {"id": one.id, "actor": one.actor, "text": one.text, "at": instant(one.at)}
            for one in comments_of(session, run_id)
        ],
    }


def storage_object(session: Session) -> Json:
    """Return what each project and report takes, and for how long its pages are kept."""
    whole = whole_store(session)
    return {
        "measured_at": instant(whole.at) if whole else None,
        "objects": whole.pages if whole else None,
        "size": whole.size if whole else None,
        "projects": [
            {"project": project.name}
            | _use(project.whole)
            | {"reports": [{"report": one.report} | _use(one) for one in project.reports]}
            for project in kept_projects(session)
        ],
    }


def _use(kept: Kept) -> Json:
    use = kept.use
    return {
        "runs": use.runs if use else None,
        "pages": use.pages if use else None,
        "size": use.size if use else None,
        "days": kept.days,
    }
