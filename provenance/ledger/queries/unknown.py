"""Names in a search that nothing in the archive has: mostly, another one was meant."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from provenance.ledger.distinct import distinct_from
from provenance.ledger.keeping_tables import RunTag
from provenance.ledger.search import RunFilter
from provenance.ledger.tables import CaseHead, Metric, Project, Run
from provenance.nearest import did_you_mean_or_all, shown

_CASES = 200
"""Cases whose parameters are looked at: those that were run last."""


class _Sought(NamedTuple):
    """A name that somebody typed, and those that there are."""

    name: str
    known: Sequence[str]
    missing: str
    """How to say that there is no such name."""
    whole: bool = False
    """Whether it has to be written in full."""

    @property
    def is_known(self) -> bool:
        if self.whole:
            return self.name in self.known
        return any(one.casefold().startswith(self.name.casefold()) for one in self.known)


def unknown_names(session: Session, wanted: RunFilter) -> tuple[str, ...]:
    """Return a sentence for each name in *wanted* that is none, with the nearest that is one."""
    return tuple(
        f"{one.missing} {shown(one.name)}. {did_you_mean_or_all(one.name, one.known)}".strip()
        for one in _sought(session, wanted)
        if not one.is_known
    )


def _sought(session: Session, wanted: RunFilter) -> Iterator[_Sought]:
    def alike(column: InstrumentedAttribute[Any], name: str) -> list[str]:
        return distinct_from(session, column, name) or distinct_from(session, column, "")

    if (project := wanted.project) is not None:
        yield _Sought(project, alike(Project.name, project), "No project is called")
    if (report := wanted.report) is not None:
        yield _Sought(report, alike(Run.report, report), "No report is called")
    if (branch := wanted.branch) is not None:
        yield _Sought(branch, alike(Run.branch, branch), "No run is of a branch called")
    for tag in wanted.tags:
        yield _Sought(tag, alike(RunTag.tag, tag), "No run has the tag")
    for name in dict.fromkeys(bound.name for bound in wanted.metrics):
        known = alike(Metric.name, name)
        yield _Sought(name, known, "No run has recorded a metric called", whole=True)
    known = _parameters(session) if wanted.params else []
    for name in wanted.params:
        yield _Sought(name, known, "No report has lately had a parameter called", whole=True)


def _parameters(session: Session) -> list[str]:
    newest = select(Run.params).join(CaseHead, CaseHead.run_id == Run.id)
    newest = newest.order_by(CaseHead.run_id.desc()).limit(_CASES)
    return sorted({name for params in session.scalars(newest) for name in params})
