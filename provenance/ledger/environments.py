"""Writing down what becomes of environments; functions never commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from provenance.ledger.columns import Base, utc_now
from provenance.ledger.environment_tables import EnvironmentBuild, EnvironmentRow
from provenance.ledger.inserting import insert_into

ENVIRONMENT = "environment"
"""What places of environments are called when they are cleared away."""
BUILDING, READY, FAILED = "building", "ready", "failed"
INTERRUPTED, COLLECTED = "interrupted", "collected"


@dataclass(frozen=True)
class NewBuild:
    """A build that begins."""

    id: str
    key: str
    source: str
    python: str
    platform: str
    host: str
    run_id: str | None = None


def begin_build(session: Session, new: NewBuild, at: datetime, left: str | None) -> None:
    """Write down that a build begins; what was begun before on that machine was interrupted.

    Only one builds an environment at a time on one machine. *left* is the digest of what the
    build before has said, whichever way it ended.
    """
    same = (EnvironmentBuild.environment == new.key, EnvironmentBuild.host == new.host)
    stopped = {"state": INTERRUPTED, "log": left}
    unended = (EnvironmentBuild.state == BUILDING, EnvironmentBuild.id != new.id)
    session.execute(update(EnvironmentBuild).where(*unended, *same).values(**stopped))
    made_of = {"source": new.source, "python": new.python, "platform": new.platform}
    _add(session, EnvironmentRow, {"key": new.key, "created_at": at, **made_of})
    build = {"id": new.id, "environment": new.key, "state": BUILDING, "host": new.host}
    _add(session, EnvironmentBuild, {**build, "run_id": new.run_id, "started_at": at})


def _add(session: Session, table: type[Base], values: Mapping[str, Any]) -> None:
    """Add a row, unless somebody else has just added the same."""
    session.execute(insert_into(session, table).values(**values).on_conflict_do_nothing())


def end_build(session: Session, build_id: str, values: Mapping[str, Any]) -> None:
    """Write down how a build ended; *values* are columns of its row."""
    ended = {"finished_at": utc_now(), **values}
    session.execute(update(EnvironmentBuild).where(EnvironmentBuild.id == build_id).values(**ended))


def note_packages(session: Session, build_id: str, packages: Mapping[str, str]) -> None:
    """Write down what a build has installed in its environment, by name the version."""
    build = session.get_one(EnvironmentBuild, build_id)
    session.get_one(EnvironmentRow, build.environment).packages = dict(packages)


def state_of_build(session: Session, build_id: str) -> str | None:
    """Return the state of a build; None where the ledger does not know it."""
    return session.scalar(select(EnvironmentBuild.state).where(EnvironmentBuild.id == build_id))


def note_collected(session: Session, folder: str) -> None:
    """Write down that the environment whose key begins with the name of *folder* is gone.

    On another machine it may still be there: then it says so when it is used the next time.
    """
    of_it = EnvironmentBuild.environment.startswith(folder, autoescape=True)
    there = EnvironmentBuild.state.in_((READY, BUILDING))
    gone = {"state": COLLECTED, "collected_at": utc_now()}
    session.execute(update(EnvironmentBuild).where(of_it, there).values(**gone))


def forget_builds(session: Session, before: datetime) -> None:
    """Let go of the logs of builds from before that instant of which nothing is left.

    The newest build of each environment keeps its log.
    """
    later = aliased(EnvironmentBuild)
    newer = (
        select(later.id)
        .where(later.environment == EnvironmentBuild.environment, later.id > EnvironmentBuild.id)
        .exists()
    )
    ended = EnvironmentBuild.state.in_((FAILED, INTERRUPTED, COLLECTED))
    old = EnvironmentBuild.started_at < before
    session.execute(
        update(EnvironmentBuild)
        .where(ended, old, newer)
        .values(log=None)
        .execution_options(synchronize_session=False)
    )
