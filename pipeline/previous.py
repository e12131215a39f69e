"""The key that a job had before: what a plan compares with to say what has changed since."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from pipeline.situation import Situation
from pipeline.step import REPORT, Step
from provenance.identity.canonical import digest
from provenance.ledger.history import Case, key_at, last_key, latest_key


def previous_key(
    session: Session, project_id: str, case_key: str, situation: Situation, step: Step
) -> str | None:
    """Return the key that *step* had for this case before.

    That is at the parent of the commit. Where that has no run, and for a working tree, in
    which somebody goes from try to try, it is the latest of the case; and of a case that is
    new, the latest that there is.
    """
    checkout = situation.checkout
    case = Case(project_id, situation.report, case_key)
    if not checkout.dirty and (found := key_at(session, case, checkout.commit.parent, step.name)):
        return found
    name, params = history_name(situation.report, step), params_key(step.params)
    return latest_key(session, case, step.name) or last_key(session, project_id, name, params)


def history_name(report: str, step: Step) -> str:
    """Return the name under which history keeps the keys of *step* of this report."""
    return f"report:{report}" if step.name == REPORT else f"stage:{step.name}"


def params_key(params: Mapping[str, Any]) -> str:
    """Return the digest under which history keeps what had these parameters."""
    return digest("params", dict(params))
