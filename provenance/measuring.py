"""What reports take in the store: pages, executed notebooks and logs, by report."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, delete, func, select
from sqlalchemy.orm import Session

from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.keeping_tables import StorageUse
from provenance.ledger.tables import Project, Run
from provenance.store import OBJECTS, Store, is_digest

_AT_ONCE = 5_000


@dataclass
class _Use:
    runs: int = 0
    pages: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)


def measure_storage(store: Store, ledger: Ledger) -> None:
    """Measure the whole store, and what each project and report has in it; keep the result.

    Goes once through all objects and all runs that have files: a matter of minutes for very many.
    """
    sizes = {
        digest: item.size
        for item in store.shelf.items(OBJECTS)
        if is_digest(digest := item.name.rpartition("/")[2])
    }
    with ledger.reading() as session:
        uses = _uses(session)
    at = utc_now()
    rows = [
        StorageUse(
            project=project,
            report=report,
            runs=use.runs,
            pages=len(use.pages),
            size=_size(use.objects, sizes),
            at=at,
        )
        for (project, report), use in uses.items()
    ]
    whole = StorageUse(
        project="",
        report="",
        runs=sum(use.runs for (_, report), use in uses.items() if not report),
        pages=len(sizes),
        size=sum(sizes.values()),
        at=at,
    )
    with ledger.writing() as session:
        session.execute(delete(StorageUse))
        session.add_all([whole, *rows])


def _uses(session: Session) -> dict[tuple[str, str], _Use]:
    """Return, by project and report and by project and "", the digests that runs name."""
    uses: dict[tuple[str, str], _Use] = defaultdict(_Use)
    counted = (
        select(Project.name, Run.report, func.count())
        .join(Run, Run.project_id == Project.id)
        .group_by(Project.name, Run.report)
    )
    for project, report, count in session.execute(counted):
        uses[project, report].runs += count
        uses[project, ""].runs += count
    for row in _runs_with_files(session):
        for use in (uses[row.name, row.report], uses[row.name, ""]):
            if row.html:
                use.pages.add(row.html)
            use.objects.update(digest for digest in (row.html, row.notebook, row.log) if digest)
    return uses


def _runs_with_files(session: Session) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield project, report, page, notebook and log of each run that has one; some at once."""
    query = (
        select(Run.id, Project.name, Run.report, Run.html, Run.notebook, Run.log)
        .join(Run.project)
        .where(Run.log.is_not(None) | Run.html.is_not(None))
        .order_by(Run.id)
        .limit(_AT_ONCE)
    )
    some = session.execute(query).all()
    while some:
        yield from some
        some = session.execute(query.where(Run.id > some[-1].id)).all()


def _size(digests: set[str], sizes: Mapping[str, int]) -> int:
    return sum(sizes.get(digest, 0) for digest in digests)
