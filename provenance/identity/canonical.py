"""One byte string per value: what is equal encodes equally, what differs never collides.

RFC 8785 fixes how JSON is written, but JSON knows no dates and cannot tell 1 from 1.0. So each
value is first wrapped in a tag that names its type; only null, booleans, texts and mappings
with text keys stand as themselves. The tagged form can be decoded again, which is how a
preimage is stored beside the result it explains.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from zoneinfo import ZoneInfo

import rfc8785

from provenance.errors import InvalidInputError

MAX_DEPTH = 64
_DECIMAL_BITS = 8192
"""Integers longer than this are written in hexadecimal: Python limits decimal conversion."""


class UncanonicalError(InvalidInputError):
    """Raised when a value has no canonical form; ``path`` leads to it inside the whole."""

    code = "uncanonical"

    def __init__(self, path: str, found: str, hint: str) -> None:
        super().__init__(f"{path} is {found}, which cannot be part of a key.", hint)
        self.path = path


@dataclass(frozen=True)
class EnumMember:
    """A member of an enumeration read back from storage, where its class is not at hand."""

    type: str
    name: str
    value: object


def canonical(value: object) -> bytes:
    """Return the one encoding of *value*, independent of hash seeds and insertion order.

    Raises UncanonicalError for a value of any other type than those named in ``encode``.
    """
    return _bytes_of(encode(value))


def digest(kind: str, value: object) -> str:
    """Return 64 hexadecimal digits for *value*, prefixed with the *kind* of thing it is.

    The prefix keeps hashes of different things apart even where their content is the same.
    """
    if "\n" in kind:
        raise ValueError(f"the kind of a digest is one line, not {kind!r}")
    return hashlib.sha256(f"{kind}\n".encode() + canonical(value)).hexdigest()


def encode(value: object, path: str = "value") -> object:
    """Return *value* as tagged JSON data.

    Encodes None, bool, str, int, float, Decimal, date, aware datetime, bytes, Enum, list,
    tuple, dict, set and frozenset; subclasses are refused, since what they add would be lost.
    Texts are taken as they are, without Unicode normalisation. Raises UncanonicalError.
    """
    return _encode(value, path, 0)


def _encode(value: object, path: str, depth: int) -> object:
    if depth > MAX_DEPTH:
        raise UncanonicalError(
            path, f"nested more than {MAX_DEPTH} levels deep", "Does it contain itself?"
        )
    if value is None or type(value) is bool:
        return value
    if isinstance(value, Enum | EnumMember):
        return _encode_enum(value, path, depth)
    if isinstance(value, str) and type(value) is str:
        return value if _is_unicode(value) else ["str", _raw(value).hex()]
    if (scalar := _SCALARS.get(type(value))) is not None:
        return scalar(value, path)
    if (container := _CONTAINERS.get(type(value))) is not None:
        return container(value, path, depth + 1)
    raise UncanonicalError(path, f"of type {_type_name(type(value))}", _advice(type(value)))


def _encode_int(value: int, _path: str) -> object:
    return ["int", str(value) if value.bit_length() <= _DECIMAL_BITS else hex(value)]


def _encode_datetime(value: datetime, path: str) -> object:
    if value.tzinfo is None:
        raise UncanonicalError(
            path, f"a datetime without a time zone ({value.isoformat()})", "Give it one."
        )
    try:
        instant = value.astimezone(UTC).replace(tzinfo=None).isoformat()
    except OverflowError:
        raise UncanonicalError(
            path,
            f"a datetime outside the years 1 to 9999 in UTC ({value})",
            "Expected a moment within.",
        ) from None
    return ["datetime", instant, _zone(value, path)]


def _zone(value: datetime, path: str) -> str:
    zone = value.tzinfo
    if isinstance(zone, ZoneInfo) and zone.key:
        return zone.key
    if isinstance(zone, timezone):
        offset = zone.utcoffset(None)
        return "UTC" if not offset else str(offset // timedelta(microseconds=1))
    raise UncanonicalError(
        path,
        f"a datetime whose time zone is of type {_type_name(type(zone))}",
        "Use zoneinfo.ZoneInfo or datetime.timezone.",
    )


def _encode_enum(value: Enum | EnumMember, path: str, depth: int) -> object:
    # The value counts as well: editing `RED = 1` to `RED = 2` may change what a stage does.
    if isinstance(value, EnumMember):
        return ["enum", value.type, value.name, _encode(value.value, path, depth + 1)]
    plain = _encode(value.value, f"{path}.value", depth + 1)
    return ["enum", _type_name(type(value)), str(value.name), plain]


def _encode_sequence(value: "list[object] | tuple[object, ...]", path: str, depth: int) -> object:
    items = [_encode(item, f"{path}[{position}]", depth) for position, item in enumerate(value)]
    return [type(value).__name__, items]


def _encode_set(value: "set[object] | frozenset[object]", path: str, depth: int) -> object:
    items = (_encode(item, f"{path}{{{item!r}}}", depth) for item in value)
    return ["set", sorted(items, key=_bytes_of)]


def _encode_dict(value: dict[object, object], path: str, depth: int) -> object:
    if all(type(key) is str and _is_unicode(key) for key in value):
        return {key: _encode(item, f"{path}[{key!r}]", depth) for key, item in value.items()}
    pairs = [
        [_encode(key, f"{path} key {key!r}", depth), _encode(item, f"{path}[{key!r}]", depth)]
        for key, item in value.items()
    ]
    return ["dict", sorted(pairs, key=lambda pair: _bytes_of(pair[0]))]


_SCALARS: Mapping[type, Callable[..., object]] = {
    int: _encode_int,
    float: lambda value, _path: ["float", value.hex()],
    Decimal: lambda value, _path: ["decimal", str(value)],
    date: lambda value, _path: ["date", value.isoformat()],
    datetime: _encode_datetime,
    bytes: lambda value, _path: ["bytes", value.hex()],
}
_CONTAINERS: Mapping[type, Callable[..., object]] = {
    list: _encode_sequence,
    tuple: _encode_sequence,
    set: _encode_set,
    frozenset: _encode_set,
    dict: _encode_dict,
}


def decode(data: object) -> object:
    """Return the value that ``encode`` made *data* from; encoding it again gives *data*.

    Sets come back as frozensets and members of enumerations as EnumMember. Raises
    InvalidInputError where *data* is no tagged JSON.
    """
    if isinstance(data, dict):
        return {key: decode(item) for key, item in data.items()}
    if data is None or isinstance(data, bool | str):
        return data
    try:
        if not isinstance(data, list | tuple):
            raise TypeError("no list")
        return _DECODERS[data[0]](*data[1:])
    except (TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise InvalidInputError(
            f"{data!r:.200} is not a stored value: expected null, true, false, a text, a "
            f"mapping, or a list that begins with one of {', '.join(sorted(_DECODERS))}."
        ) from error


def _decode_datetime(instant: str, zone: str) -> datetime:
    moment = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    if zone.removeprefix("-").isdigit():
        return moment.astimezone(timezone(timedelta(microseconds=int(zone))))
    return moment if zone == "UTC" else moment.astimezone(ZoneInfo(zone))


_DECODERS: Mapping[str, Callable[..., object]] = {
    "str": lambda raw: bytes.fromhex(raw).decode("utf-8", "surrogatepass"),
    "int": lambda text: int(text, 16 if "x" in text else 10),
    "float": float.fromhex,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "datetime": _decode_datetime,
    "bytes": bytes.fromhex,
    "enum": lambda kind, name, value: EnumMember(kind, name, decode(value)),
    "list": lambda items: [decode(item) for item in items],
    "tuple": lambda items: tuple(decode(item) for item in items),
    "set": lambda items: frozenset(decode(item) for item in items),
    "dict": lambda pairs: {decode(key): decode(item) for key, item in pairs},
}


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _bytes_of(data: object) -> bytes:
    # Tagged JSON has no numbers, so what RFC 8785 has of its own is the order of names outside
    # ASCII; for the rest the standard library writes the same bytes, several times as fast.
    plain = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if plain.isascii():
        return plain.encode()
    return rfc8785.dumps(data)  # type: ignore[arg-type]  # tagged JSON only


def _type_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _advice(kind: type) -> str:
    for plain in (*_SCALARS, *_CONTAINERS, str):
        if issubclass(kind, plain):
            return f"Convert it with {plain.__name__}(...)."
    return (
        "Expected None, bool, int, float, str, bytes, Decimal, date, an aware datetime, "
        "an Enum, list, tuple, dict or set."
    )
