"""The newest run of each page, so that a search needs not go through the runs of what it finds.

Runs about other runs are left out, as in lists.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, literal, select, update
from sqlalchemy.orm import Session

from provenance.ledger.inserting import insert_into
from provenance.ledger.tables import Run
from provenance.ledger.text_tables import PageHead, PageText


def note_page_heads(session: Session, runs: Mapping[str, str]) -> None:
    """Note a run of each page, by its digest, as the newest; a newer one stays.

    Pages that nobody has noted are passed over.
    """
    # In the same order by everybody: no two transactions wait for each other's rows.
    for html, run_id in sorted(runs.items()):
        page = select(PageText.id, literal(run_id)).where(PageText.html == html)
        new = insert_into(session, PageHead).from_select(["page_id", "run_id"], page)
        later = new.on_conflict_do_update(
            index_elements=["page_id"],
            set_={"run_id": new.excluded.run_id},
            where=PageHead.run_id < new.excluded.run_id,
        )
        session.execute(later)


def page_heads_back(session: Session, pages: Sequence[str], gone: Sequence[str]) -> None:
    """Let the newest run that is left of each of *pages* be its head, where it was one of *gone*.

    They have left their pages already.
    """
    heads = select(PageHead.page_id).join(PageText, PageText.id == PageHead.page_id)
    heads = heads.where(PageText.html.in_(pages)).order_by(PageText.html)
    # Whoever takes another run from such a page at the same moment waits, and then looks again.
    ids = session.scalars(heads.with_for_update(of=PageHead)).all()
    # Only where it is one of those that went: a newer one may have come meanwhile.
    lost = (PageHead.page_id.in_(ids), PageHead.run_id.in_(gone))
    page = select(PageText.html).where(PageText.id == PageHead.page_id).correlate(PageHead)
    # Ordered instead of a greatest one: one look at an index, however many runs a page has.
    left = select(Run.id).where(Run.html == page.scalar_subquery(), Run.purpose.is_(None))
    newest = left.order_by(Run.id.desc()).limit(1).correlate(PageHead).scalar_subquery()
    session.execute(delete(PageHead).where(*lost, newest.is_(None)))
    session.execute(update(PageHead).where(*lost).values(run_id=newest))
