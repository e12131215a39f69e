"""The search page: runs by filters and by the words of their pages, and what is called alike."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.current import installation
from provenance.errors import InvalidInputError
from provenance.ledger.ids import is_id
from provenance.ledger.marks import Marks, marks_of
from provenance.ledger.queries.cases import CaseNames, case_names
from provenance.ledger.queries.named import NamedReport, reports_called
from provenance.ledger.queries.runs import PAGE, RunRow
from provenance.ledger.queries.unknown import unknown_names
from provenance.ledger.search import search_rows
from provenance.ledger.search_text import FILTERS, LONGEST, Search, read_search
from provenance.ledger.tables import Run
from provenance.ledger.word_search import MOST_PAGES
from provenance.ledger.words import Snippet, snippets

BRIEF = 8
"""Rows below the box, before anybody asks for the whole page."""


class WhichPageError(InvalidInputError):
    """Raised when the address asks for a page of a list that there never was."""

    code = "which_page"


@dataclass(frozen=True)
class Found:
    """What a search has brought."""

    reports: tuple[NamedReport, ...]
    rows: tuple[RunRow, ...]
    snippets: Mapping[str, Snippet]
    case_name: CaseNames
    older: bool
    marks: Mapping[str, Marks]
    unknown: tuple[str, ...]
    """Why nothing was: names that there are not."""


def search() -> ResponseReturnValue:
    """Show what was found; with ``brief`` only the first of it, to stand below the box."""
    text = request.args.get("q", "").strip()[:LONGEST]
    brief, before = "brief" in request.args, request.args.get("before")
    if before is not None and not is_id("run", before):
        raise WhichPageError("before: not one that was given out.", "Search again.")
    sought = read_search(text)
    with installation().ledger.reading() as session:
        if text.startswith("run_") and not brief and session.get(Run, text) is not None:
            return redirect(url_for("archive.run", run_id=text))
        found = _find(session, sought, BRIEF if brief else PAGE, before)
    return render_template(
        "archive/search_brief.html" if brief else "archive/search.html",
        text=text,
        sought=sought,
        found=found,
        before=before,
        filters=FILTERS,
        most_pages=MOST_PAGES,
    )


def _find(session: Session, sought: Search, most: int, before: str | None) -> Found:
    lost = sought.is_lost
    rows, older = ((), False) if lost else search_rows(session, sought.wanted, most, before)
    words = sought.wanted.words
    pages = [row.html for row in rows if row.html is not None]
    is_empty = not rows and before is None
    return Found(
        reports=reports_called(session, words) if words and before is None else (),
        rows=rows,
        snippets=snippets(session, pages, words) if words else {},
        case_name=case_names(session, [(row.project_id, row.report) for row in rows]),
        older=older,
        marks=marks_of(session, [row.id for row in rows]),
        unknown=unknown_names(session, sought.wanted) if is_empty else (),
    )
