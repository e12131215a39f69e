"""How the figures of a case went from commit to commit: the film strip, and its neighbours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, tuple_
from sqlalchemy.orm import Session

from provenance.ledger.queries.figures import FigureRow, figures_of_pages
from provenance.ledger.queries.history import Filter, Shape
from provenance.ledger.queries.metrics import told_something
from provenance.ledger.tables import Commit, Run

MOST_COMMITS = 12
MOST_SLOTS = 12
_LOOKED_AT = 120
"""Runs of a case among which its newest commits are sought: there may be several at each."""
_NEWEST_FIRST = (Run.committed_at.desc(), Run.id.desc())
_FIGURES = 60
"""Figures of each page that are looked at for slots."""


@dataclass(frozen=True)
class Shot:
    """A run that stands for a commit: the newest of the case there."""

    run: str
    html: str
    commit_sha: str
    subject: str


@dataclass(frozen=True)
class Frame:
    """What a slot shows at one commit."""

    shot: Shot
    figure: FigureRow | None
    """None where the page has no such figure."""
    change: str
    """``same`` or ``changed`` against the commit before; ``new`` and ``gone`` where one of the
    two has it not; empty where nothing is known to compare with, and where both have it not."""


@dataclass(frozen=True)
class FilmRow:
    """One slot over all commits, oldest first."""

    slot: str
    title: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class Film:
    """The figures of one case over its newest commits, oldest first."""

    case_key: str = ""
    shots: tuple[Shot, ...] = ()
    rows: tuple[FilmRow, ...] = ()
    more: int = 0
    """Slots that are left out."""


@dataclass(frozen=True)
class Neighbours:
    """The same slot one commit earlier and one later; None where the case has no such run."""

    before: Frame | None
    after: Frame | None


def film_of(session: Session, wanted: Filter) -> Film:
    """Return the film strip of one case, in two queries."""
    shots = _one_a_commit(session.execute(_newest(wanted.shape), wanted.values))
    pages = figures_of_pages(session, [shot.html for shot in shots], _FIGURES)
    titles = _titles(shots, pages)
    rows = [FilmRow(slot, titles[slot], _frames(slot, shots, pages)) for slot in titles]
    shown = tuple(replace(row, frames=row.frames[-MOST_COMMITS:]) for row in rows[:MOST_SLOTS])
    return Film(wanted.case_key or "", tuple(shots[-MOST_COMMITS:]), shown, len(rows) - len(shown))


def neighbours_of(session: Session, run: Run, slot: str) -> Neighbours:
    """Return what *slot* shows at the commits before and after that of *run*, in its case."""
    of_case = Filter(run.project_id, run.report, run.case_key, run.branch)
    narrowed = of_case.shape.narrow(_shots())
    place, own_place = tuple_(Run.committed_at, Run.id), tuple_(run.committed_at, run.id)
    older = narrowed.where(place < own_place).order_by(*_NEWEST_FIRST).limit(_LOOKED_AT)
    newer = narrowed.where(place > own_place).order_by(Run.committed_at, Run.id).limit(_LOOKED_AT)
    own = _shots().where(Run.id == run.id)
    found = [row for query in (older, newer) for row in session.execute(query, of_case.values)]
    rows = [row for row in found if row.commit_sha != run.commit_sha]
    shots = _one_a_commit([*rows, *session.execute(own)])
    at = next((place for place, shot in enumerate(shots) if shot.run == run.id), None)
    if at is None:
        return Neighbours(None, None)
    near = shots[max(0, at - 1) : at + 2]
    pages = figures_of_pages(session, [shot.html for shot in near])
    frames = {one.shot.run: one for one in _frames(slot, near, pages)}
    before, after = shots[at - 1] if at else None, shots[at + 1] if at + 1 < len(shots) else None
    return Neighbours(frames[before.run] if before else None, frames[after.run] if after else None)


@cache
def _newest(shape: Shape) -> Select[Any]:
    """Return the query for the newest shots, each of another commit."""
    columns: list[Any] = [Run.id, Run.commit_sha, Run.committed_at]
    lately = shape.narrow(select(*columns)).where(*_that_told()).order_by(*_NEWEST_FIRST)
    found = lately.limit(_LOOKED_AT).subquery("lately").c
    newest = select(func.max(found.id)).group_by(found.commit_sha)
    newest = newest.order_by(func.max(found.committed_at).desc(), func.max(found.id).desc())
    # One more than is shown: what the first one shown is compared with.
    return _shots().where(Run.id.in_(newest.limit(MOST_COMMITS + 1)))


def _shots() -> Select[Any]:
    """Return a query for runs that told something of a commit, in so far as shots say it."""
    known = and_(Commit.project_id == Run.project_id, Commit.sha == Run.commit_sha)
    columns: list[Any] = [Run.id, Run.html, Run.commit_sha, Run.committed_at, Commit.subject]
    return select(*columns).outerjoin(Commit, known).where(*_that_told())


def _that_told() -> tuple[ColumnElement[bool], ...]:
    shown = (Run.html.is_not(None), Run.committed_at.is_not(None))
    return *told_something(Run), Run.dirty.is_(None), *shown


def _one_a_commit(rows: Iterable[Any]) -> list[Shot]:
    """Return the newest run of each commit, in the order of commits, the oldest first."""
    newest: dict[str, Any] = {}
    for row in sorted(rows, key=lambda row: row.id):
        newest[row.commit_sha] = row
    # Commits that were pushed together may be evaluated in any order.
    ordered = sorted(newest.values(), key=lambda row: (row.committed_at, row.id))
    return [Shot(row.id, row.html, row.commit_sha, row.subject or "") for row in ordered]


def _titles(shots: Sequence[Shot], pages: Mapping[str, tuple[FigureRow, ...]]) -> Mapping[str, str]:
    """Return the slots with their titles, in the order of the newest page that has each."""
    titles: dict[str, str] = {}
    for shot in reversed(shots):
        for figure in pages.get(shot.html, ()):
            titles.setdefault(figure.slot, figure.title)
    return titles


def _frames(
    slot: str, shots: Sequence[Shot], pages: Mapping[str, tuple[FigureRow, ...]]
) -> tuple[Frame, ...]:
    frames: list[Frame] = []
    for place, shot in enumerate(shots):
        figure = next((one for one in pages.get(shot.html, ()) if one.slot == slot), None)
        change = _change(frames[-1].figure, figure) if place else ""
        frames.append(Frame(shot, figure, change))
    return tuple(frames)


def _change(before: FigureRow | None, after: FigureRow | None) -> str:
    if before is None or after is None:
        return "new" if after else "gone" if before else ""
    return "same" if before.sha256 == after.sha256 else "changed"
