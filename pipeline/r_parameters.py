"""The parameters of a template in R: the simple assignments of one cell, read and never run."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.literals import SKIP
from provenance.identity.r_source import Token, tokenize, value

_ASSIGNS = ("<-", "=")
_WORDS: dict[str, object] = {"TRUE": True, "T": True, "FALSE": False, "F": False, "NULL": None}
_INTEGER = re.compile(r"(?:\d+|0[xX][0-9a-fA-F]+)L?")
_EXPONENT = re.compile(r"[\d.]*\d[\d.]*[eE][+-]")
_DEEPEST = 20
_ESCAPE = re.compile(r"\\(?:u\{?([0-9a-fA-F]{1,4})\}?|U\{?([0-9a-fA-F]{1,8})\}?|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


@dataclass(frozen=True)
class Assigned:
    """``name <- value  # comment``."""

    name: str
    value: object
    comment: str
    line: int


def assignments(source: str) -> Iterator[Assigned]:
    """Yield what R code assigns to plain names: numbers, texts, TRUE and FALSE, NULL, dates by
    ``as.Date("…")``, vectors by ``c(…)`` and lists by ``list(…)`` of these.

    Everything else is left out, and so is all where it is no R.
    """
    for statement in _statements(tokenize(source) or ()):
        code = _code(statement)
        if len(code) < 3 or code[0].kind != "name" or code[1].text not in _ASSIGNS:
            continue
        found, rest = _expression(code[2:], 0)
        if found is SKIP or rest:
            continue
        said = next((one.text for one in reversed(statement) if one.kind == "comment"), "")
        yield Assigned(code[0].text.strip("`"), found, said.lstrip("#").strip(), code[0].line)


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield what stands on lines of its own: a bracket that is open carries a line on."""
    current: list[Token] = []
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        ends = depth <= 0 and (token.kind == "newline" or token.text == ";")
        if not ends:
            current.append(token)
        elif current:
            yield current
            current = []
    if current:
        yield current


def _code(statement: Sequence[Token]) -> list[Token]:
    """Return what counts; a number such as ``1e-5`` is one token, as R has it."""
    found: list[Token] = []
    for token in statement:
        if token.kind in ("blank", "comment", "newline"):
            continue
        before = "".join(one.text for one in found[-2:])
        if token.kind == "number" and _EXPONENT.fullmatch(before):
            found[-2:] = [Token("number", before + token.text, found[-2].line)]
        else:
            found.append(token)
    return found


def _expression(code: Sequence[Token], depth: int) -> tuple[object, Sequence[Token]]:
    """Return the value that *code* begins with, and what follows it."""
    if not code or depth > _DEEPEST:
        return SKIP, ()
    first, rest = code[0], code[1:]
    if first.text == "-" and rest and rest[0].kind == "number":
        number = _atom(rest[0])
        return (-number if isinstance(number, int | float) else SKIP), rest[1:]
    if first.text in _CALLS and rest and rest[0].text == "(":
        arguments, rest = _arguments(rest[1:], depth + 1)
        return (SKIP if arguments is None else _CALLS[first.text](arguments)), rest
    return _atom(first), rest


def _atom(token: Token) -> object:
    """Return what one token stands for: a number, a text, a word such as TRUE."""
    if token.kind == "string":
        return _text(token)
    if token.kind == "number":
        return _number(token.text)
    return _WORDS.get(token.text, SKIP) if token.kind == "name" else SKIP


def _arguments(
    code: Sequence[Token], depth: int
) -> tuple[list[tuple[str, object]] | None, Sequence[Token]]:
    """Return the arguments of a call, each with its name or "", and what follows the call."""
    found: list[tuple[str, object]] = []
    while code and code[0].text != ")":
        name = ""
        if len(code) > 1 and code[1].text == "=" and code[0].kind in ("name", "string"):
            named = code[0]
            name = _text(named) if named.kind == "string" else named.text.strip("`")
            code = code[2:]
        one, code = _expression(code, depth)
        if one is SKIP or not code or code[0].text not in (",", ")"):
            return None, ()
        found.append((name, one))
        if code[0].text == ",":
            code = code[1:]
    return (found, code[1:]) if code else (None, ())


def _number(text: str) -> object:
    try:
        if _INTEGER.fullmatch(text):
            return int(text.removesuffix("L"), 0 if text[:2].lower() == "0x" else 10)
        return float(text)
    except ValueError:
        return SKIP  # ``1i``, a complex number


def _text(token: Token) -> str:
    """Return what a text stands for; a raw one stands for itself."""
    plain = value(token)
    return plain if token.text[0] in "rR" else _ESCAPE.sub(_unescaped, plain)


def _unescaped(found: re.Match[str]) -> str:
    if digits := found[1] or found[2]:
        number = int(digits, 16)
        return chr(number) if number <= 0x10FFFF else found[0]
    return _ESCAPED.get(found[3], found[3])


def _date(arguments: list[tuple[str, object]]) -> object:
    if len(arguments) != 1 or not isinstance(arguments[0][1], str):
        return SKIP
    try:
        return date.fromisoformat(arguments[0][1])
    except ValueError:
        return SKIP


def _vector(arguments: list[tuple[str, object]]) -> object:
    """Return the values of ``c(…)``: R makes one vector of vectors in vectors."""
    if any(name for name, _ in arguments) or any(isinstance(one, dict) for _, one in arguments):
        return SKIP
    flat: list[object] = []
    for _, one in arguments:
        flat += one if isinstance(one, list) else [one]
    return flat


def _list(arguments: list[tuple[str, object]]) -> object:
    names = [name for name, _ in arguments]
    if not any(names):
        return [one for _, one in arguments]
    named = all(names) and len(set(names)) == len(names)
    return dict(arguments) if named else SKIP


_CALLS: dict[str, Callable[[list[tuple[str, object]]], object]] = {
    "c": _vector,
    "list": _list,
    "as.Date": _date,
}
