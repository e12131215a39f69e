"""The newest run of each case that fits: one look at an index a case, however many runs it has."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased

from provenance.ledger.tables import CaseHead, Run

OF_CASE = aliased(Run, name="of_case")
"""The runs of one case: what they have to be is said of this."""


def newest_of_cases(*cases: ColumnElement[bool], fits: list[ColumnElement[bool]]) -> Select[Any]:
    """Return a query for the ids of the newest run of each of *cases* that *fits*.

    *cases* are conditions on `CaseHead`, *fits* on `OF_CASE`. Runs about other runs are no
    part of it.
    """
    newest = (
        select(OF_CASE.id)
        .where(
            OF_CASE.project_id == CaseHead.project_id,
            OF_CASE.report == CaseHead.report,
            OF_CASE.case_key == CaseHead.case_key,
            OF_CASE.purpose.is_(None),
            *fits,
        )
        .order_by(OF_CASE.id.desc())
        .limit(1)
        .correlate(CaseHead)
    )
    each = select(newest.scalar_subquery().label("id")).select_from(CaseHead).where(*cases)
    # Else PostgreSQL looks three times for each: to hash it, to remember it and to fetch it.
    found = each.cte("newest").prefix_with("MATERIALIZED", dialect="postgresql")
    return select(found.c.id)
