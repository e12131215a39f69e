"""Finding pages by their words: FTS5 on SQLite, a text search index on PostgreSQL.

A word of a page need only begin with one that is sought; one of several parts, such as a date,
stands for these parts in a row.
"""

from collections.abc import Mapping, Sequence
from heapq import nlargest
from typing import Any

from sqlalchemy import Row, Select, bindparam, column, func, select, text
from sqlalchemy import table as table_of
from sqlalchemy.orm import Session

from provenance.ledger.among import among
from provenance.ledger.engine import is_sqlite
from provenance.ledger.text_tables import WORDS, PageHead, PageText
from provenance.ledger.words import tokens

MOST_PAGES = 300
"""So many pages, the newest, are narrowed by filters where very many have the words."""
_LEAST_STEP = 1_000
_INDEX = table_of(WORDS, column("rowid"))
_IN_SQLITE = text(f"{WORDS} MATCH :sought")
_IN_POSTGRESQL = text(f"{WORDS} @@ to_tsquery('simple', :sought)")


def are_words(words: Sequence[str]) -> bool:
    """Tell whether anything can be sought: punctuation alone is no word."""
    return any(tokens(word) for word in words)


def pages_with(session: Session, words: Sequence[str]) -> list[str]:
    """Return the digests of the newest pages that have all *words*, 300 at most."""
    if not are_words(words):
        return []
    sought = _sought(session, words)
    query = select(PageText.id, PageText.html)
    if is_sqlite(session):
        query = query.join(_INDEX, _INDEX.c.rowid == PageText.id).where(_IN_SQLITE)
        query = query.order_by(_INDEX.c.rowid.desc()).limit(MOST_PAGES)
        return [row.html for row in session.execute(query, sought)]
    last = session.scalar(select(func.max(PageText.id)))
    return [row.html for row in _in_steps(session, query, sought, MOST_PAGES, last)]


def runs_with(session: Session, words: Sequence[str], most: int, after: str | None) -> list[str]:
    """Return the newest run of each page that has all *words*, the newest runs first.

    At most *most* that are older than the run *after*; runs about other runs are left out.
    """
    if not are_words(words):
        return []
    sought, heads = _sought(session, words), select(PageHead.run_id)
    if after is not None:
        heads = heads.where(PageHead.run_id < after)
    if is_sqlite(session):
        # Such that the heads are gone along in their order, each a look at what was found: a word
        # that very many pages have would else be sorted.
        page = func.coalesce(PageHead.page_id, PageHead.page_id)
        heads = heads.where(page.in_(select(_INDEX.c.rowid).where(_IN_SQLITE)))
        return [*session.scalars(heads.order_by(PageHead.run_id.desc()).limit(most), sought)]
    return _newest_heads(session, heads, sought, most)


def _newest_heads(
    session: Session, heads: Select[Any], sought: Mapping[str, Any], most: int
) -> list[str]:
    """Return the newest of *heads*: of the newest pages, then of older ones that are made still.

    Rows of pages are wide, those of heads narrow: so the former are looked at for few.
    """
    query = heads.join(PageText, PageText.id == PageHead.page_id).add_columns(PageText.id)
    last = session.scalar(heads.with_only_columns(func.max(PageHead.page_id)))
    rows = _in_steps(session, query, sought, most, last)
    found = nlargest(most, (row.run_id for row in rows))
    if len(rows) < most:
        return found
    late = heads.add_columns(PageHead.page_id).where(PageHead.page_id < rows[-1].id)
    late, step = late.order_by(PageHead.run_id.desc()), _LEAST_STEP
    while True:
        some = session.execute(late.where(PageHead.run_id > found[-1]).limit(step)).all()
        fits = among(session, PageText.id, [row.page_id for row in some])
        more = session.scalars(query.where(fits, _IN_POSTGRESQL), sought) if some else ()
        found = nlargest(most, [*found, *more])
        if len(some) < step:
            return found
        late, step = late.where(PageHead.run_id < some[-1].run_id), step * 10


def _in_steps(
    session: Session,
    query: Select[*tuple[Any, ...]],
    sought: Mapping[str, Any],
    most: int,
    last: int | None,
) -> list[Row[Any]]:
    """Return the first *most* rows of *query* from the page *last* backwards.

    Its index knows no order: of a word that thousands of pages have, all would be fetched to be
    sorted. A step goes as far as the words, if they are as frequent there, are enough.
    """
    query = query.where(PageText.id <= bindparam("before"), PageText.id > bindparam("after"))
    # The sum keeps the database from going along all pages of a step, in the belief that it will
    # soon have found enough: how frequent the beginning of a word is, it cannot know.
    query = query.where(_IN_POSTGRESQL).order_by((PageText.id + 0).desc())
    query = query.limit(bindparam("missing"))
    found: list[Row[Any]] = []
    looked_at, step = 0, _LEAST_STEP
    while last and looked_at < last and (missing := most - len(found)):
        ids = {"before": last - looked_at, "after": last - looked_at - step}
        found += session.execute(query, {**sought, **ids, "missing": missing})
        looked_at += step
        enough = looked_at * (most - len(found)) // len(found) if found else last
        step = max(enough * 6 // 5, _LEAST_STEP)
    return found


def _sought(session: Session, words: Sequence[str]) -> Mapping[str, Any]:
    """Return what is sought, in the language of the database's index."""
    parts = [found for word in words if (found := tokens(word))]
    if is_sqlite(session):
        return {"sought": " AND ".join(f'"{" ".join(each)}" *' for each in parts)}
    rows = (" <-> ".join([*each[:-1], f"{each[-1]}:*"]) for each in parts)
    return {"sought": " & ".join(rows)}
