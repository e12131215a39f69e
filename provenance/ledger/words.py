"""What pages say: noted when they are published, read afterwards, shown where it was sought."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    delete,
    exists,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from provenance.ledger.engine import is_sqlite
from provenance.ledger.inserting import insert_into
from provenance.ledger.keeping_tables import BinnedRun
from provenance.ledger.tables import Run
from provenance.ledger.text_tables import WORDS, Figure, PageHead, PageText
from provenance.text import storable

_BEFORE, _AFTER = 60, 110
_TOKEN = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Unread:
    """A page that nobody has read yet, or not for all that is noted of one by now."""

    id: int
    notebook: str | None
    has_words: bool
    """Whether its words are known: then it is its figures that are not."""


@dataclass(frozen=True)
class Snippet:
    """A place in a page where one of the words stands."""

    before: str
    hit: str
    after: str


def note_page(session: Session, page: PageText) -> None:
    """Note a page to be read, unless it is known."""
    known = ("html", "notebook", "project_id")
    values = {name: getattr(page, name) for name in known} | {"names": storable(page.names)}
    session.execute(insert_into(session, PageText).values(values).on_conflict_do_nothing())


def unread_pages(session: Session, most: int) -> list[Unread]:
    """Return pages that are still to be read, the newest first."""
    has_words = PageText.body.is_not(None).label("has_words")
    query = select(PageText.id, PageText.notebook, has_words).where(PageText.figures.is_(None))
    rows = session.execute(query.order_by(PageText.id.desc()).limit(most))
    return [Unread(row.id, row.notebook, row.has_words) for row in rows]


def write_words(session: Session, page_id: int, body: str) -> None:
    """Say what a page says; who comes second changes nothing."""
    unread = update(PageText).where(PageText.id == page_id, PageText.body.is_(None))
    written: Any = session.execute(unread.values(body=storable(body)))
    if written.rowcount and is_sqlite(session):
        session.execute(
            text(
                f"INSERT INTO {WORDS} (rowid, names, body) "  # noqa: S608 - a name of ours
                "SELECT id, names, body FROM page_text WHERE id = :id"
            ),
            {"id": page_id},
        )


def write_about(session: Session, page_id: int, about: str) -> None:
    """Keep what a page says of its report at its beginning."""
    told = update(PageText).where(PageText.id == page_id)
    session.execute(told.values(about=storable(about)))


def about_page(session: Session, html: str | None) -> list[str]:
    """Return what a page says of its report: a heading and a sentence or two, as far as known."""
    about = session.scalar(select(PageText.about).where(PageText.html == html)) if html else None
    return (about or "").splitlines()


def forget_pages(session: Session, pages: Sequence[str]) -> None:
    """Forget what *pages* say, as far as no run and nothing in the bin has them any more."""
    held = [
        exists().where(owner.html == PageText.html).correlate(PageText)
        for owner in (Run, BinnedRun)
    ]
    query = select(PageText.id).where(PageText.html.in_(pages), ~or_(*held))
    ids = [*session.scalars(query)]
    if is_sqlite(session):
        # The index knows no rows of its own: it has to be told what it is to forget.
        columns = f"({WORDS}, rowid, names, body)"
        rows = "SELECT 'delete', id, names, body FROM page_text WHERE id = :id AND body IS NOT NULL"
        for page_id in ids:
            session.execute(text(f"INSERT INTO {WORDS} {columns} {rows}"), {"id": page_id})
    for of_page in (Figure, PageHead):
        session.execute(delete(of_page).where(of_page.page_id.in_(ids)))
    session.execute(delete(PageText).where(PageText.id.in_(ids)))


def tokens(word: str) -> list[str]:
    """Return the parts of a word that can be sought: rows of letters and digits."""
    return _TOKEN.findall(word)


def snippets(session: Session, pages: Sequence[str], words: Sequence[str]) -> Mapping[str, Snippet]:
    """Return, by its digest, where each page has one of *words*; not for those that only have
    them in their names."""
    rows = session.execute(
        select(PageText.html, PageText.body).where(PageText.html.in_(pages))
    ).all()
    found = {row.html: _snippet(row.body or "", words) for row in rows}
    return {html: snippet for html, snippet in found.items() if snippet is not None}


def _snippet(body: str, words: Sequence[str]) -> Snippet | None:
    parts = [r"[\W_]+".join(map(re.escape, tokens(word))) for word in words]
    pattern = "|".join(part for part in parts if part)
    hit = re.search(rf"(?<![^\W_])(?:{pattern})[^\W_]*", body, re.IGNORECASE)
    if not pattern or hit is None:
        return None
    start = max(0, hit.start() - _BEFORE)
    before, after = body[start : hit.start()], body[hit.end() : hit.end() + _AFTER]
    if start:
        before = f"… {before.partition(' ')[2]}"
    if hit.end() + _AFTER < len(body):
        after = f"{after.rpartition(' ')[0]} …"
    return Snippet(" ".join(before.split("\n")), hit[0], " ".join(after.split("\n")))
