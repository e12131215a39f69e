"""Source code and what terminals show, as HTML.

Importing this module imports nbconvert.
"""

import re
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from markupsafe import Markup, escape
from nbconvert.filters.ansi import ansi2html
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token
from pygments.util import ClassNotFound


@cache
def _lexer(language: str) -> Lexer:
    try:
        # IPython's own lexers are a package that the server has no other use for.
        return get_lexer_by_name("python3" if language.startswith("ipython") else language)
    except ClassNotFound:
        return get_lexer_by_name("text")


_SET = (
    (Token.Comment, "c"),
    (Token.Keyword, "k"),
    (Token.Operator.Word, "k"),
    (Token.Literal.String, "s"),
    (Token.Literal.Number, "m"),
    (Token.Name.Builtin, "b"),
    (Token.Name.Decorator, "b"),
    (Token.Name.Function, "f"),
    (Token.Name.Class, "f"),
)


@cache
def _token_class(token: Any) -> str:
    return next((name for kind, name in _SET if token in kind), "")


def code(source: str, language: str) -> Markup:
    """Return highlighted source code.

    Only what the theme sets apart is marked: pygments' own formatter marks every token, which
    makes pages four times as heavy.
    """
    tokens = _lexer(language).get_tokens(source)
    runs = groupby(((_token_class(kind), text) for kind, text in tokens), key=itemgetter(0))
    parts = []
    for name, run in runs:
        text = escape("".join(piece for _, piece in run))
        parts.append(f'<span class="{name}">{text}</span>' if name and text.strip() else text)
    return Markup("".join(parts).rstrip())  # noqa: S704


def terminal(text: str) -> Markup:
    """Return a terminal's text as HTML: colours kept, overwritten progress bars dropped."""
    return Markup(ansi2html(last_states(text)))  # noqa: S704


def last_states(text: str) -> str:
    """Return a terminal's text without what was overwritten."""
    if "\r" not in text:
        return text.rstrip()
    lines = (_last_state(line) if "\r" in line else line for line in text.split("\n"))
    return "\n".join(lines).rstrip()


def _last_state(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part.strip()), "")


_DASHES = re.compile(r"(?:\x1b\[[\d;]*m)*-{20,}(?:\x1b\[[\d;]*m)*")


def traceback_text(lines: list[str]) -> str:
    """Return a traceback as IPython coloured it, without the rule that it starts with."""
    return "\n".join(line for line in lines if not _DASHES.fullmatch(line))


_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def plain(text: str) -> str:
    """Return a terminal's text without its colours."""
    return _ESCAPES.sub("", last_states(text))
