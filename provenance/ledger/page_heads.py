"""The newest run of each page, so that a search needs not go through the runs of what it finds.

Runs about other runs are left out, as in lists.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import ScalarSelect, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from provenance.ledger.inserting import insert_into
from provenance.ledger.tables import Run
from provenance.ledger.text_tables import PageHead, PageText


def note_page_heads(session: Session, pages: Iterable[str]) -> None:
    """Let the newest run of each of *pages* be its head, as far as pages are known and have one."""
    newest = _newest_run(PageText.html)
    # In the same order by everybody: no two transactions wait for each other's rows.
    for html in sorted({*pages}):
        page = select(PageText.id, newest).where(PageText.html == html, newest.is_not(None))
        new = insert_into(session, PageHead).from_select(["page_id", "run_id"], page)
        # Of two who publish at the same moment, neither sees the run of the other.
        later = new.on_conflict_do_update(
            index_elements=["page_id"],
            set_={"run_id": new.excluded.run_id},
            where=PageHead.run_id < new.excluded.run_id,
        )
        session.execute(later)


def page_heads_back(session: Session, gone: Sequence[str]) -> None:
    """Let the newest run that is left of each page be its head, where that was one of *gone*.

    They have left their pages already.
    """
    # Only where it is one of those that went: a newer one may have come meanwhile.
    lost = PageHead.run_id.in_(gone)
    page = select(PageText.html).where(PageText.id == PageHead.page_id).correlate(PageHead)
    left = _newest_run(page.scalar_subquery())
    session.execute(delete(PageHead).where(lost, left.is_(None)))
    session.execute(update(PageHead).where(lost).values(run_id=left))


def _newest_run(html: InstrumentedAttribute[str] | ScalarSelect[str]) -> ScalarSelect[str]:
    # Ordered instead of a greatest one: one look at an index, however many runs a page has.
    query = select(Run.id).where(Run.html == html, Run.purpose.is_(None))
    return query.order_by(Run.id.desc()).limit(1).correlate_except(Run).scalar_subquery()
