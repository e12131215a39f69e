"""What becomes of PostgreSQL's types: known before the first row, and without a silent loss."""

from collections.abc import Callable
from functools import cache
from typing import Any

# Names of PostgreSQL's types, by what they are in a table. Everything else is kept as the text
# that the server writes: uuid, json and jsonb, enumerations, addresses, ranges, money.
_BOOLS = ("bool",)
_INTEGERS = ("int2", "int4", "int8", "oid")
_FLOATS = ("float4", "float8")
_TIMES = ("date", "time", "timestamp", "timestamptz", "interval")
_OTHERS = ("bytea", "numeric")
_TYPED = (*_BOOLS, *_INTEGERS, *_FLOATS, *_TIMES, *_OTHERS)
_DECIMAL_DIGITS = 76
_PLAIN_DIGITS = 38


@cache
def _names() -> dict[int, tuple[str, bool]]:
    """Return name of type, and whether it is an array of it, by PostgreSQL's number for it."""
    from psycopg.postgres import types

    elements = {info.oid: (info.name, False) for info in types}
    arrays = {info.array_oid: (info.name, True) for info in types if info.array_oid}
    return arrays | elements


def load_exactly(connection: Any, _record: object) -> None:
    """Let psycopg load what Python can hold as it is, and everything else as text.

    An infinite date, or an interval of months (which psycopg would count as 30 days each),
    thus comes as text and is refused with its column's name.
    """
    from psycopg.postgres import types
    from psycopg.types.string import TextLoader

    for info in types:
        if info.name not in _TYPED:
            connection.adapters.register_loader(info.oid, TextLoader)
        elif info.name in _TIMES:
            loader = _careful(connection, info.oid, info.name == "interval")
            connection.adapters.register_loader(info.oid, loader)


def _careful(connection: Any, oid: int, months: bool) -> type:
    from psycopg import DataError
    from psycopg.adapt import Loader
    from psycopg.pq import Format

    plain = connection.adapters.get_loader(oid, Format.TEXT)

    class CarefulLoader(Loader):
        def __init__(self, number: int, context: Any = None) -> None:
            super().__init__(number, context)
            self._load: Callable[[Any], Any] = plain(number, context).load

        def load(self, data: Any) -> Any:
            if months and any(word in bytes(data) for word in (b"mon", b"year")):
                return bytes(data).decode()
            try:
                return self._load(data)
            except DataError:
                return bytes(data).decode()

    return CarefulLoader


def arrow_type(described: Any) -> tuple[str, Any, Any]:
    """Return the type's name, its Arrow type, and the one for a column without any value.

    *described* is a column of psycopg's description. The Arrow type is None where only the
    values tell: for numeric without precision.
    """
    import pyarrow as pa

    name, many = _names().get(described.type_code, ("", False))
    found = _scalar(name, described.precision, described.scale)
    empty = found if found is not None else pa.decimal128(_PLAIN_DIGITS, _PLAIN_DIGITS // 2)
    if many:
        return f"{name}[]", pa.list_(found) if found is not None else None, pa.list_(empty)
    return name, found, empty


def _scalar(name: str, precision: int | None, scale: int | None) -> Any:
    import pyarrow as pa

    if name == "numeric":
        if not precision or scale is None or not 0 <= scale <= precision <= _DECIMAL_DIGITS:
            return None
        make = pa.decimal128 if precision <= _PLAIN_DIGITS else pa.decimal256
        return make(precision, scale)
    if name in _INTEGERS:
        return pa.int64()
    if name in _FLOATS:
        return pa.float64()
    others = {
        "bool": pa.bool_(),
        "bytea": pa.binary(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "timestamp": pa.timestamp("us"),
        "timestamptz": pa.timestamp("us", tz="UTC"),
        "interval": pa.duration("us"),
    }
    return others.get(name, pa.string())
