"""A report's cells, split into what is executed and what is only shown.

The execution key holds ``execution_cells``, the render key ``prose_digest`` beside it: so an
edit of Markdown, or of a comment in a code cell, makes a new page of the old results.
"""

import ast
import io
import tokenize
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from provenance.identity import r_source
from provenance.identity.canonical import digest
from provenance.parsing import parse

_VERBATIM_TAG = "raises-exception"
_SHOWN_TAGS = ("hide", "remove")
"""Beginnings of tags that only say what of a cell is shown."""
_IDLE = {tokenize.ENDMARKER, tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.DEDENT}


class Cell(NamedTuple):
    """A cell: ``code``, ``markdown`` or ``raw``; its tags; its source as it stands in the file."""

    kind: str
    tags: tuple[str, ...]
    source: str


def execution_cells(cells: Sequence[Cell], language: str = "python") -> list[str]:
    """Return a digest for each code cell, in order: of what it does, and of its tags.

    A cell that is Python counts by its syntax tree, and by whether its last line ends with a
    semicolon, which keeps its value from being shown. A cell with magics, shell lines or
    anything else that Python does not parse counts as it stands; so does one that may fail,
    since its traceback shows its lines. R counts without comments; any other *language* as it
    stands. Outputs, ids and counts are not even given.
    """
    meaning = _MEANINGS.get(language, _as_it_stands)
    return [_executed(cell, meaning) for cell in cells if cell.kind == "code"]


def prose_digest(cells: Sequence[Cell], theme: str) -> str:
    """Return a digest of all that a page shows of *cells* beside results.

    That is Markdown and raw cells, and the text of code cells with its comments; *theme*
    stands for titles, styles and whatever else the page is made of.
    """
    shown = [[cell.kind, list(cell.tags), cell.source] for cell in cells]
    return digest("prose", [theme, shown])


def _executed(cell: Cell, meaning_of: "_Meaning") -> str:
    tags = sorted({tag for tag in cell.tags if not tag.startswith(_SHOWN_TAGS)})
    meaning = None if _VERBATIM_TAG in tags else meaning_of(cell.source)
    return digest("cell", [tags, *(meaning or ("text", cell.source))])


def _as_it_stands(source: str) -> None:
    del source


def _meaning_of_r(source: str) -> tuple[object, ...] | None:
    facts = r_source.read(source)
    return None if facts is None or facts.semantic is None else ("r", facts.semantic)


def _meaning_of_python(source: str) -> tuple[object, ...] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parse(source)
        quiet = _ends_quietly(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return None
    return "python", ast.dump(tree, annotate_fields=False), quiet


def _ends_quietly(source: str) -> bool:
    """Whether IPython would keep the last value to itself, as its display hook tells it."""
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    last = next((token for token in reversed(tokens) if token.type not in _IDLE), None)
    return last is not None and last.string == ";"


_Meaning = Callable[[str], tuple[object, ...] | None]
_MEANINGS: Mapping[str, _Meaning] = {
    "python": _meaning_of_python,
    "ipython": _meaning_of_python,
    "r": _meaning_of_r,
}
