"""Finding runs by what they are."""

import json
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import nlargest
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.orm.interfaces import ORMOption

from provenance.ledger.among import each_of
from provenance.ledger.data_tables import Pin
from provenance.ledger.distinct import distinct_from
from provenance.ledger.engine import is_sqlite
from provenance.ledger.ids import first_id
from provenance.ledger.keeping_tables import RunComment, RunTag
from provenance.ledger.queries.runs import RunRow, page_of, run_rows, select_rows
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Evaluation, Metric, Project, Run
from provenance.ledger.word_search import pages_with, runs_with

_FEW = 200
"""Evaluations that are named one by one."""
_SIGNS: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class MetricBound:
    """What a metric of a run has to be."""

    name: str
    sign: str
    """``=``, ``<``, ``<=``, ``>`` or ``>=``."""
    value: float


@dataclass(frozen=True)
class RunFilter:
    """What the runs that are looked for have in common; None: anything."""

    project: str | None = None
    report: str | None = None
    commit: str | None = None
    """The first hexadecimal digits of a commit, or all of them."""
    branch: str | None = None
    status: Status | None = None
    verdict: Verdict | None = None
    purpose: str | None = None
    """``reproduce`` or ``whatif``; None: only runs like any other."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Values of parameters, as texts."""
    actor: str | None = None
    """Who asked for them."""
    since: datetime | None = None
    until: datetime | None = None
    """Between which instants they were asked for."""
    metrics: Sequence[MetricBound] = ()
    tags: Sequence[str] = ()
    pinned: bool | None = None
    """Whether somebody holds on to them; null where that does not count."""
    comments: Sequence[str] = ()
    """What somebody said about them, in these letters, large or small."""
    words: Sequence[str] = ()
    """What their pages say, or what they are called."""
    digits: str | None = None
    """A word that may also be the beginning of a commit."""
    begun: bool = False
    """Whether the project, report, branch, actor and parameters may be only begun."""

    @property
    def is_of_words_alone(self) -> bool:
        """Whether nothing else is asked of runs than that their pages say the words."""
        return bool(self.words) and self == RunFilter(words=self.words, begun=self.begun)


@dataclass(frozen=True)
class Page:
    """Some of the runs that were found, newest first."""

    runs: Sequence[Run]
    next: str | None
    """Where the next page begins: to be given as *after*; None where there is none."""


def search_runs(
    session: Session,
    wanted: RunFilter,
    limit: int,
    after: str | None,
    options: Sequence[ORMOption] = (),
) -> Page:
    """Return at most *limit* runs older than *after*, the id of a run."""
    query = select(Run).join(Run.project)
    query = query.where(*_conditions(session, wanted), *_older(after))
    query = _newest_first(query, wanted).limit(limit + 1).options(*options)
    found = session.scalars(query).unique().all()
    runs = found[:limit]
    return Page(runs, runs[-1].id if len(found) > limit else None)


def search_rows(
    session: Session, wanted: RunFilter, limit: int, after: str | None
) -> tuple[tuple[RunRow, ...], bool]:
    """Return the same runs as rows of a list, and whether there are older ones.

    Where words are sought, a page that several runs share is there once, for the newest of them.
    """
    if wanted.words:
        ids = _newest_of_pages(session, wanted, limit + 1, after)
        query = select_rows().where(Run.id.in_(ids)).order_by(Run.id.desc())
        return page_of(run_rows(session, query), limit)
    query = select_rows().where(*_conditions(session, wanted), *_older(after))
    query = _newest_first(query, wanted)
    return page_of(run_rows(session, query.limit(limit + 1)), limit)


def _newest_of_pages(
    session: Session, wanted: RunFilter, most: int, after: str | None
) -> Sequence[str]:
    """Return the ids of the newest fitting run of each page that says the words.

    Where they may be the beginning of a commit, so too of all pages that were made there; a run
    without a page stands for itself.
    """
    if wanted.is_of_words_alone:
        return runs_with(session, wanted.words, most, after)
    fits = [*_filters(session, wanted), *map(_has, wanted.metrics[:1])]
    pages = pages_with(session, wanted.words)
    # A look at an index for each page, however many runs share it.
    page = each_of(session, pages)
    of_page = select(Run.id).join(Run.project).where(*fits, Run.html == page)
    of_page = of_page.order_by(Run.id.desc()).limit(1).correlate(page.table)
    found = {*session.scalars(select(of_page.scalar_subquery()).select_from(page.table))} - {None}
    if wanted.digits:
        others = or_(Run.html.is_(None), Run.html.not_in(pages))
        there = select(func.max(Run.id)).join(Run.project).where(*fits, others)
        there = there.where(*_begins(Run.commit_sha, wanted.digits))
        found.update(session.scalars(there.group_by(func.coalesce(Run.html, Run.id))))
    return nlargest(most, (one for one in found if after is None or one < after))


def _newest_first(query: Select[Any], wanted: RunFilter) -> Select[Any]:
    """Order the runs. Where metrics count, it is the first of them whose index is gone along:
    few runs may have it, and there it stands in the order of their ids."""
    if not wanted.metrics:
        return query.order_by(Run.id.desc())
    first = aliased(Metric)
    query = query.join(first, first.run_id == Run.id).where(*_measured(first, wanted.metrics[0]))
    return query.order_by(first.run_id.desc())


def _conditions(session: Session, wanted: RunFilter) -> list[ColumnElement[bool]]:
    conditions = _filters(session, wanted)
    if wanted.words:
        says = Run.html.in_(pages_with(session, wanted.words))
        at = and_(*_begins(Run.commit_sha, wanted.digits)) if wanted.digits else None
        conditions.append(says if at is None else or_(says, at))
    return conditions


def _filters(session: Session, wanted: RunFilter) -> list[ColumnElement[bool]]:
    """Return what *wanted* says of runs, but for its words."""
    names = [
        (Project.name, wanted.project),
        (Run.report, wanted.report),
        (Run.branch, wanted.branch),
    ]
    conditions = [
        _named(session, column, name, wanted) for column, name in names if name is not None
    ]
    exact: list[tuple[Any, Any]] = [(Run.status, wanted.status), (Run.verdict, wanted.verdict)]
    conditions += [_looked_at(column, wanted) == value for column, value in exact if value]
    conditions.append(Run.purpose.is_not_distinct_from(wanted.purpose))
    if wanted.commit is not None:
        conditions += _begins(Run.commit_sha, wanted.commit)
    if wanted.actor is not None:
        conditions.append(_asked_by(session, wanted.actor, wanted))
    conditions += _between(wanted)
    conditions += [_has(bound) for bound in wanted.metrics[1:]]
    conditions += [_valued(session, name, wanted) for name in wanted.params]
    conditions += [Run.id.in_(_tagged(session, tag, wanted)) for tag in wanted.tags]
    conditions += [Run.id.in_(_said_of(words)) for words in wanted.comments]
    if wanted.pinned is not None:
        held = Run.id.in_(select(Pin.target).where(Pin.holds()))
        conditions.append(held if wanted.pinned else ~held)
    return conditions


def _looked_at(
    column: InstrumentedAttribute[Any], wanted: RunFilter
) -> ColumnElement[Any] | InstrumentedAttribute[Any]:
    """Return *column*; where words are sought, such that its index stays away: their pages are
    fewer than what any other filter finds, and no database knows that."""
    return _without_index(column) if wanted.words else column


def _without_index(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    return func.coalesce(column, column)


def _named(
    session: Session, column: InstrumentedAttribute[Any], name: str, wanted: RunFilter
) -> ColumnElement[bool]:
    """Hold *column* to *name*; to all that begins with it where it may be only begun."""
    if not wanted.begun:
        return _looked_at(column, wanted) == name
    names = distinct_from(session, column, name) or [
        other for other in distinct_from(session, column, "") if _folded(other, name)
    ]
    if names[:1] == [name] or len(names) == 1:
        return _looked_at(column, wanted) == names[0]
    # Of several names an index gives all runs to be sorted; from the newest on a page fills soon.
    return _without_index(column).in_(names)


def _folded(other: str, beginning: str) -> bool:
    return other.casefold().startswith(beginning.casefold())


def _tagged(session: Session, tag: str, wanted: RunFilter) -> Select[Any]:
    tags = (distinct_from(session, RunTag.tag, tag) if wanted.begun else []) or [tag]
    if tag in tags:
        tags = [tag]
    return select(RunTag.run_id).where(RunTag.tag.in_(tags))


def _said_of(words: str) -> Select[Any]:
    return select(RunComment.run_id).where(RunComment.text.icontains(words, autoescape=True))


def _begins(column: InstrumentedAttribute[Any], digits: str) -> list[ColumnElement[bool]]:
    """Compare by order, which an index knows; after hexadecimal digits comes "g"."""
    return [column >= digits, column < f"{digits}g"]


def _older(after: str | None) -> list[ColumnElement[bool]]:
    return [] if after is None else [Run.id < after]


def _between(wanted: RunFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.since is not None:
        yield Run.id >= first_id("run", wanted.since)
    if wanted.until is not None:
        yield Run.id < first_id("run", wanted.until)


def _measured(metric: type[Metric], bound: MetricBound) -> list[ColumnElement[bool]]:
    return [metric.name == bound.name, _SIGNS[bound.sign](metric.value, bound.value)]


def _has(bound: MetricBound) -> ColumnElement[bool]:
    return exists().where(Metric.run_id == Run.id, *_measured(Metric, bound))


def _asked_by(session: Session, actor: str, wanted: RunFilter) -> ColumnElement[bool]:
    """Hold runs to those of somebody, by the evaluations where these are few."""
    by = _named(session, Evaluation.actor, actor, replace(wanted, words=()))
    few = session.scalars(select(Evaluation.id).where(by).limit(_FEW + 1)).all()
    if len(few) <= _FEW:
        return Run.evaluation_id.in_(few)
    return exists().where(Evaluation.id == Run.evaluation_id, by)


def _valued(session: Session, name: str, wanted: RunFilter) -> ColumnElement[bool]:
    text = wanted.params[name]
    is_value = (_is_on_sqlite if is_sqlite(session) else _is)(name, text)
    if not wanted.begun:
        return is_value
    value = Run.params[name].as_string()
    return or_(is_value, cast(value, String).startswith(text, autoescape=True))


def _is(name: str, text: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = Run.params[name].as_string() == text
    return found


def _is_on_sqlite(name: str, text: str) -> ColumnElement[bool]:
    """Compare with the value's own type: SQLite gives numbers as numbers, true as 1."""
    kind = func.json_type(Run.params, f'$."{name}"')
    alike: list[ColumnElement[bool]] = [
        and_(kind.not_in(("true", "false")), Run.params[name].as_string() == text)
    ]
    if text in ("true", "false"):
        alike.append(kind == text)
    if (number := _number(text)) is not None:
        alike.append(and_(kind.in_(("integer", "real")), Run.params[name].as_float() == number))
    return or_(*alike)


def _number(text: str) -> float | None:
    try:
        value = json.loads(text)
        return None if isinstance(value, bool) else float(value)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
