"""Several values of parameters at once: values and ranges of them, and all combinations."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import product
from math import prod

from pipeline.parameter import Parameter, ParameterError, ParameterProblem
from pipeline.parameter_values import Type, UnfitValueError, convert
from pipeline.parameters import Resolved, Schema, undeclared
from pipeline.relative_dates import months_on
from provenance.errors import InvalidInputError
from provenance.nearest import shown

MOST_RUNS = 400
"""As many as can be asked for at once: each day of a year, and some more."""
SCALARS: tuple[Type, ...] = ("text", "int", "float", "bool", "date")
RANGED: tuple[Type, ...] = ("int", "float", "date")
_LONGEST_RANGE = 200
_RANGE = re.compile(r"\s*(\S+?)\s*\.\.\s*(\S+?)(?:\s+step\s+(\S+))?\s*")
_DAYS = re.compile(r"([0-9]{1,6})([dwm]?)")


class TooManyRunsError(InvalidInputError):
    """Raised when several values of parameters would make more runs than may be asked for."""

    code = "too_many_runs"


def sweep(
    schema: Schema,
    given: Mapping[str, object],
    several: Mapping[str, Sequence[object]],
    today: date,
) -> list[dict[str, Resolved]]:
    """Return every combination of the values in *several*, each with what is *given* besides.

    A value may be a range: ``1 .. 9``, ``0 .. 1 step 0.1``, ``2013-01-01 .. 2013-12-31 step 7d``.
    With nothing in *several* there is one combination. Raises ParameterError with all that is
    wrong, and TooManyRunsError.
    """
    values, problems = _all_values(schema, several, today)
    count = prod(len(found) for found in values.values())
    if count > MOST_RUNS:
        raise TooManyRunsError(
            f"These values make {count:,} runs, and at most {MOST_RUNS} can be asked for at once.",
            "Give fewer values, or ask in parts.",
        )
    resolved = []
    # Parameters whose values are in error already are looked at no more, the others are.
    rest = {name: value for name, value in given.items() if name not in several}
    for chosen in product(*values.values()):
        try:
            told = rest | dict(zip(values, chosen, strict=True))
            resolved.append(schema.resolve(told, today))
        except ParameterError as error:
            broken = several.keys() - values.keys()
            problems += [one for one in error.problems if one.name not in broken]
    if problems:
        raise ParameterError(list(dict.fromkeys(problems)))
    return resolved


def _all_values(
    schema: Schema, several: Mapping[str, Sequence[object]], today: date
) -> tuple[dict[str, list[object]], list[ParameterProblem]]:
    values: dict[str, list[object]] = {}
    problems: list[ParameterProblem] = []
    for name, items in several.items():
        parameter = schema.by_name.get(name)
        try:
            if parameter is None:
                raise UnfitValueError(undeclared(name, schema.names))
            values[name] = _values(parameter, items, today)
        except UnfitValueError as error:
            problems.append(ParameterProblem(name[:200], error.message))
    return values, problems


def _values(parameter: Parameter, items: Sequence[object], today: date) -> list[object]:
    """Return what *items* stand for, each value once, in their order."""
    name = parameter.name
    if parameter.type not in SCALARS:
        raise UnfitValueError(f"{name} is a {parameter.type}, which has one value at a time.")
    if not items:
        raise UnfitValueError(f"{name}: found no values, expected at least one.")
    found: dict[object, None] = {}
    try:
        for item in items:
            found |= dict.fromkeys(_expanded(parameter, item, today))
            if len(found) > MOST_RUNS:
                raise UnfitValueError(f"found more than {MOST_RUNS} values, which are too many.")
    except UnfitValueError as error:
        raise UnfitValueError(f"{name}: {error.message}") from None
    return list(found)


def _range(item: str) -> re.Match[str] | None:
    """Take *item* apart as a range; a long one is none, and would take long to be found none."""
    return _RANGE.fullmatch(item) if len(item) <= _LONGEST_RANGE else None


def _expanded(parameter: Parameter, item: object, today: date) -> Iterable[object]:
    kind = parameter.type
    if item is None and parameter.nullable:
        return [None]
    if kind not in RANGED or not isinstance(item, str) or not (parts := _range(item)):
        return [convert(kind, item, today)]
    low, high = (convert(kind, end, today) for end in parts.group(1, 2))
    if low > high:  # type: ignore[operator]
        raise UnfitValueError(f"the range {shown(item)} begins after its end.")
    try:
        return _STEPPED[kind](low, high, parts[3])
    except UnfitValueError as error:
        raise UnfitValueError(f"the range {shown(item)} {error.message}") from None


def _whole(low: int, high: int, step: str | None) -> Iterable[object]:
    by = convert("int", step or "1", date.min)
    if not isinstance(by, int) or by <= 0:
        raise UnfitValueError("has a step that leads nowhere.")
    _check_count((high - low) // by)
    return range(low, high + 1, by)


def _real(low: float, high: float, step: str | None) -> Iterable[object]:
    if step is None:
        raise UnfitValueError("needs a step, such as 0 .. 1 step 0.1.")
    # In decimals, or three steps of 0.1 were not 0.3.
    first, last, by = (Decimal(repr(convert("float", one, date.min))) for one in (low, high, step))
    if by <= 0:
        raise UnfitValueError("has a step that leads nowhere.")
    count = (last - first) / by
    _check_count(count)
    return [float(first + number * by) for number in range(int(count) + 1)]


def _days(low: date, high: date, step: str | None) -> Iterable[object]:
    parts = _DAYS.fullmatch(step or "1d")
    if parts is None or not (by := int(parts[1])):
        raise UnfitValueError("needs a step like 1d, 2w or 1m.")
    if parts[2] == "m":
        count = ((high.year - low.year) * 12 + high.month - low.month) // by
        _check_count(count)
        # From the first each time: from the 31st on, all are the last of their months.
        days = (months_on(low, number * by) for number in range(count + 1))
        return [day for day in days if day <= high]
    by *= 7 if parts[2] == "w" else 1
    _check_count((high - low).days // by)
    return map(date.fromordinal, range(low.toordinal(), high.toordinal() + 1, by))


def _check_count(steps: float | Decimal) -> None:
    if steps >= MOST_RUNS:
        raise UnfitValueError(f"has more than {MOST_RUNS} values, which are too many.")


_STEPPED: dict[Type, Callable[..., Iterable[object]]] = {
    "int": _whole,
    "float": _real,
    "date": _days,
}
