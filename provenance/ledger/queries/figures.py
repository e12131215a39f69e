"""The figures of a run's page, and the other runs that show one of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session, aliased

from provenance.errors import NotFoundError
from provenance.ledger.columns import LARGEST_INTEGER
from provenance.ledger.queries.runs import PAGE, RunRow, page_of, run_rows, select_rows
from provenance.ledger.tables import Run
from provenance.ledger.text_tables import Figure, PageText

MOST_PAGES = 300
"""So many pages that show a figure are looked at for runs: the newest."""


class NoFigureError(NotFoundError):
    """Raised when a page does not show the figure that is asked for."""

    code = "no_figure"


@dataclass(frozen=True)
class FigureRow:
    """A figure as it is known without its content."""

    number: int
    """Its place among the figures of its page, from 1."""
    slot: str
    heading: str
    kind: str
    media_type: str
    sha256: str
    size: int
    cell: int

    @property
    def title(self) -> str:
        """What it is called for people: below which heading, and which of its kind there."""
        ordinal = self.slot.rpartition("-")[2]
        nth = f" {ordinal}" if ordinal != "1" else ""
        return f"{self.heading or self.slot.partition('/')[0]} · {self.kind}{nth}"


_COLUMNS = [getattr(Figure, one.name) for one in fields(FigureRow)]


@dataclass(frozen=True)
class PageFigures:
    """What is known of the figures of one page."""

    total: int | None
    """How many the page shows; None until it has been read."""
    kept: tuple[FigureRow, ...]
    """The first of them, in their order."""

    def numbered(self, number: int) -> FigureRow:
        """Return one of them; raise `NoFigureError`."""
        found = next((one for one in self.kept if one.number == number), None)
        if found is None:
            raise NoFigureError(*_why_not(number, self))
        return found


def figures_of(session: Session, html: str | None) -> PageFigures:
    """Return the figures of the page with the digest *html*."""
    query = select(PageText.figures, *_COLUMNS).outerjoin(Figure, Figure.page_id == PageText.id)
    rows = session.execute(query.where(PageText.html == html).order_by(Figure.number)).all()
    total = rows[0].figures if rows else None
    return PageFigures(total, tuple(_figure(row) for row in rows if row.number is not None))


def figures_of_pages(
    session: Session, pages: Iterable[str], most: int = LARGEST_INTEGER
) -> Mapping[str, tuple[FigureRow, ...]]:
    """Return, by its digest, the first figures of each page, *most* of them at the most."""
    query = (
        select(PageText.html, *_COLUMNS)
        .join(Figure, Figure.page_id == PageText.id)
        .where(PageText.html.in_(sorted(set(pages))), Figure.number <= most)
        .order_by(Figure.page_id, Figure.number)
    )
    found: dict[str, list[FigureRow]] = {}
    for row in session.execute(query):
        found.setdefault(row.html, []).append(_figure(row))
    return {html: tuple(figures) for html, figures in found.items()}


def figure_like(session: Session, sha256: str) -> FigureRow:
    """Return a figure that shows exactly this; raise `NoFigureError` where there is none."""
    query = select(*_COLUMNS).where(Figure.sha256 == sha256).order_by(Figure.page_id).limit(1)
    row = session.execute(query).first()
    if row is None:
        raise NoFigureError(
            f"No page shows a figure with the digest {sha256[:64]!r}.",
            "The figures of a run are listed at /runs/RUN/figures.",
        )
    return _figure(row)


def runs_showing(
    session: Session, sha256: str, before: str | None = None
) -> tuple[tuple[RunRow, ...], bool]:
    """Return the runs whose pages show exactly this figure, newest first, and whether there are
    older ones than these; *before* is the id of the last run that was shown."""
    pages = (
        select(PageText.html)
        .join(Figure, Figure.page_id == PageText.id)
        .where(Figure.sha256 == sha256)
        .order_by(Figure.page_id.desc())
        .limit(MOST_PAGES)
        .subquery()
    )
    shown = select(Run.id).join(pages, pages.c.html == Run.html)
    shown = shown.where(Run.id >= func.coalesce(_last_of_page(pages, before), ""))
    ids = _older(shown, Run.id, before).order_by(Run.id.desc()).limit(PAGE + 1)
    found = session.scalars(ids).all()
    return page_of(
        run_rows(session, select_rows().where(Run.id.in_(found)).order_by(Run.id.desc()))
    )


def _last_of_page(pages: Any, before: str | None) -> Any:
    """Return the id from which on the runs of a page can be among the newest: very many runs may
    share it, and the index gives the first of them without the others."""
    other = aliased(Run)
    query = _older(select(other.id).where(other.html == pages.c.html), other.id, before)
    return query.order_by(other.id.desc()).offset(PAGE).limit(1).correlate(pages).scalar_subquery()


def _older(query: Select[Any], column: Any, before: str | None) -> Select[Any]:
    return query.where(column < before) if before else query


def _figure(row: Row[Any]) -> FigureRow:
    return FigureRow(**{one.name: getattr(row, one.name) for one in fields(FigureRow)})


def _why_not(number: int, figures: PageFigures) -> tuple[str, str]:
    if figures.total is None:
        return (
            "The figures of this page are not known yet.",
            "A worker reads a page within a second or so after its run has ended; look again then.",
        )
    if not figures.kept:
        return f"There is no figure {number}: none was found on the page.", ""
    last: Sequence[FigureRow] = figures.kept[-1:]
    return f"There is no figure {number} on this page.", f"There are 1 to {last[0].number}."
