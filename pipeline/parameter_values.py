"""One value of one type: from a form's text, JSON or TOML to what a template receives."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from pipeline.relative_dates import is_relative, put_to
from provenance.errors import InvalidInputError
from provenance.nearest import shown

Type = Literal["text", "int", "float", "bool", "date", "list", "dict"]
TYPES: tuple[str, ...] = get_args(Type)
ALIASES: dict[str, Type] = {
    "str": "text",
    "string": "text",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list",
    "object": "dict",
}
EXPECTED: dict[Type, str] = {
    "text": "text",
    "int": "a whole number like 3",
    "float": "a number like 0.5",
    "bool": "true or false",
    "date": "a date like 2013-01-31, yesterday or -3d",
    "list": "a list like [1, 2]",
    "dict": 'a table like {"a": 1}',
}
MAX_DEPTH = 32
# Beyond it a float no longer tells one whole number from the next.
MAX_EXACT = 2**53
# About a thousand decimal digits: Python itself refuses to write much larger numbers.
MAX_BITS = 3321

_INT = re.compile(r"[+-]?[0-9]{1,999}")
_FLOAT = re.compile(r"[+-]?([0-9]{1,1000}\.?[0-9]{0,1000}|\.[0-9]{1,1000})([eE][+-]?[0-9]{1,5})?")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


class UnfitValueError(InvalidInputError):
    """Raised when a value is not of the type, or not one of the values, that was expected."""

    code = "unfit_value"


@dataclass(frozen=True)
class _Refused(Exception):  # noqa: N818 (never leaves this file)
    reason: str = ""


def type_named(name: str) -> Type | None:
    """Return the type that *name* or an alias of it stands for, None when it is unknown."""
    for known in get_args(Type):
        if name == known:
            return known  # type: ignore[no-any-return]
    return ALIASES.get(name)


def type_of(value: object) -> Type | None:
    """Return the type that a literal value has by itself, None when no type has such values."""
    # bool before int and datetime before date: each is a subclass of the other.
    if isinstance(value, datetime):
        return None
    kinds: tuple[tuple[type, Type], ...] = (
        (bool, "bool"),
        (int, "int"),
        (float, "float"),
        (str, "text"),
        (date, "date"),
        (list, "list"),
        (tuple, "list"),
        (dict, "dict"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), None)


def convert(kind: Type, raw: object, today: date) -> object:
    """Return *raw* as a value of type *kind*; texts are read, relative dates put to *today*.

    Nothing is guessed: ``True`` is no number, ``1.5`` no whole number, NaN and infinity no
    number at all. Raises UnfitValueError, which tells what was found and what was expected.
    """
    try:
        if raw is None:
            raise _Refused("nothing")
        if isinstance(raw, str) and kind != "text" and not raw.strip():
            raise _Refused("empty text")
        return _date(raw, today) if kind == "date" else _CONVERTERS[kind](raw)
    except _Refused as refused:
        found = refused.reason or f"{shown(raw)} ({_kind_of(raw)})"
        raise UnfitValueError(f"found {found}, expected {EXPECTED[kind]}.") from None


def to_json_value(value: object) -> object:
    """Return *value* as JSON holds it: dates become ISO text, tuples become lists."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [to_json_value(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): to_json_value(item) for name, item in value.items()}
    return value


def to_text(value: object) -> str:
    """Return *value* as a form or ``-p name=value`` gives it; `convert` reads it back."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, date) else json.dumps(to_json_value(value))


def _kind_of(raw: object) -> str:
    if isinstance(raw, datetime):
        return "a date with a time"
    return type_of(raw) or type(raw).__name__


def _text(raw: object) -> str:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        # TOML has dates without quotes; a template may still want the text.
        return raw.isoformat()
    if not isinstance(raw, str):
        raise _Refused
    if "\0" in raw or any("\ud800" <= character <= "\udfff" for character in raw):
        # Neither a database nor a file in UTF-8 can hold them.
        raise _Refused("text with a NUL or half a character")
    return raw


def _int(raw: object) -> int:
    if isinstance(raw, bool):
        raise _Refused
    if isinstance(raw, int):
        return _writable(raw)
    if isinstance(raw, float) and raw.is_integer() and abs(raw) <= MAX_EXACT:
        return int(raw)
    if isinstance(raw, str) and _INT.fullmatch(raw.strip()):
        return int(raw)
    raise _Refused


def _float(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise _Refused
    if isinstance(raw, str) and not _FLOAT.fullmatch(raw.strip()):
        raise _Refused
    try:
        number = float(raw)
    except OverflowError:
        raise _Refused("a number beyond all floats") from None
    if not math.isfinite(number):
        raise _Refused
    return number


def _bool(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise _Refused


def _date(raw: object, today: date) -> date:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    if not isinstance(raw, str):
        raise _Refused
    word = raw.strip()
    try:
        if is_relative(word):
            return put_to(today, word)
        if _ISO.fullmatch(word):
            return date.fromisoformat(word)
    except (ValueError, OverflowError):
        raise _Refused(f"{shown(raw)}, which no calendar has") from None
    raise _Refused


def _list(raw: object) -> object:
    found = _from_json(raw) if isinstance(raw, str) else raw
    if not isinstance(found, list | tuple):
        raise _Refused
    return _plain(found, 0)


def _dict(raw: object) -> object:
    found = _from_json(raw) if isinstance(raw, str) else raw
    if not isinstance(found, Mapping):
        raise _Refused
    return _plain(found, 0)


def _from_json(text: str) -> object:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        table = dict(pairs)
        if len(table) < len(pairs):
            raise _Refused("a table that names a key twice")
        return table

    try:
        found: object = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise _Refused(f"{shown(text)}, which is not JSON") from None
    return found


def _plain(value: object, depth: int) -> object:
    """Return a copy of *value* that holds nothing but what JSON can hold."""
    if depth > MAX_DEPTH:
        raise _Refused(f"values nested more than {MAX_DEPTH} deep")
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        plain = {_text(name): _plain(item, depth + 1) for name, item in value.items()}
        # The key knows no order of names, so code may see none either.
        return {name: plain[name] for name in sorted(plain)}
    if isinstance(value, float):
        return _inner_float(value)
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, int):
        return value if value is None else _writable(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise _Refused(f"{shown(value)} inside")


def _writable(number: int) -> int:
    if number.bit_length() > MAX_BITS:
        raise _Refused("a number of more than 1000 digits")
    return number


def _inner_float(value: float) -> float:
    if not math.isfinite(value):
        raise _Refused(f"{value} inside")
    return value


_CONVERTERS: dict[Type, Callable[[object], object]] = {
    "text": _text,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "list": _list,
    "dict": _dict,
}
