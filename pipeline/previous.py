"""The key that a job had before: what a plan compares with to say what has changed since."""

from sqlalchemy.orm import Session

from pipeline.situation import Situation
from pipeline.step import REPORT, Step
from provenance.ledger.history import Baseline, key_at, last_key


def previous_key(
    session: Session, project_id: str, case_key: str, situation: Situation, step: Step
) -> str | None:
    """Return the key that *step* had for this case before.

    That is at the parent of the commit. Where that has no run, and for a working tree, in
    which somebody goes from try to try, it is the latest that there is.
    """
    from pipeline.publish import params_key  # it brings all that executes, and is seldom asked

    commit = situation.checkout.commit
    baseline = Baseline(project_id, situation.report, case_key, commit.parent)
    at_parent = None if situation.checkout.dirty else key_at(session, baseline, step.name)
    name = f"report:{situation.report}" if step.name == REPORT else f"stage:{step.name}"
    return at_parent or last_key(session, project_id, name, params_key(step.params))
