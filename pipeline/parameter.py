"""One parameter: its type, and what else a value has to be to be one of it."""

import json
import keyword
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipeline.parameter_values import Type, UnfitValueError, convert, to_json_value, to_text
from pipeline.relative_dates import is_relative
from provenance.errors import InvalidInputError
from provenance.nearest import did_you_mean, listed, shown

# Any day does where only the form of a value is checked.
ANY_DAY = date(2000, 1, 1)


@dataclass(frozen=True)
class Parameter:
    """What a template or stage can be told.

    Not required and without default, it may be left out and is then None. Defaults and bounds
    may be dates in relation to today ("yesterday"), put to a day only when resolved.
    """

    name: str
    type: Type
    default: object = None
    required: bool = False
    choices: tuple[object, ...] | None = None
    """The allowed values; of a list, what may stand in it."""
    minimum: object = None
    maximum: object = None
    label: str | None = None
    help: str | None = None
    unit: str | None = None

    @property
    def nullable(self) -> bool:
        """Whether None is a value of it."""
        return not self.required and self.default is None


@dataclass(frozen=True)
class ParameterProblem:
    """One thing that is wrong with one parameter."""

    name: str
    message: str


class ParameterError(InvalidInputError):
    """Raised when values do not fit the parameters; tells all that is wrong, not the first."""

    code = "parameters"

    def __init__(self, problems: Sequence[ParameterProblem]) -> None:
        super().__init__("\n".join(problem.message for problem in problems))
        self.problems = tuple(problems)


def valid_name(name: str) -> bool:
    """Tell whether *name* may be a variable that provenote assigns.

    It is an identifier that Python reads as written (NFKC), no keyword and no dunder.
    """
    return (
        name.isidentifier()
        and not keyword.iskeyword(name)
        and not name.startswith("__")
        and unicodedata.normalize("NFKC", name) == name
    )


def normalised(parameter: Parameter) -> Parameter:
    """Return *parameter* with default, choices and bounds as values of its type.

    Raises ParameterError when one of them is none, when bounds stand on a type that has no
    order, when they exclude each other, or when the default lies outside.
    """
    problems: list[str] = []

    def fit(what: str, raw: object) -> object:
        if raw is None or (parameter.type == "date" and is_relative(raw)):
            return raw.strip() if isinstance(raw, str) else None
        try:
            return convert(parameter.type, raw, ANY_DAY)
        except UnfitValueError as error:
            problems.append(f"{what}: {error.message}")
            return None

    fitted = replace(
        parameter,
        default=fit("default", parameter.default),
        choices=_choices(parameter, problems),
        minimum=fit("min", parameter.minimum),
        maximum=fit("max", parameter.maximum),
    )
    problems += [] if problems else _inconsistencies(fitted)
    if problems:
        name = parameter.name
        raise ParameterError([ParameterProblem(name, f"{name}: {text}") for text in problems])
    return fitted


def _choices(parameter: Parameter, problems: list[str]) -> tuple[object, ...] | None:
    if parameter.choices is None:
        return None
    fitted: list[object] = []
    for choice in parameter.choices:
        if parameter.type == "date" and is_relative(choice):
            problems.append(f"choices: {choice} depends on the day; give dates like 2013-01-31.")
            continue
        try:
            fitted.append(_choice(parameter.type, choice))
        except UnfitValueError as error:
            problems.append(f"choices: {error.message}")
    return tuple(fitted)


def _choice(kind: Type, raw: object) -> object:
    if kind != "list":
        return convert(kind, raw, ANY_DAY)
    held = convert(kind, [raw], ANY_DAY)
    return held[0] if isinstance(held, list) else held


def _inconsistencies(parameter: Parameter) -> list[str]:
    low, high = parameter.minimum, parameter.maximum
    if (low is not None or high is not None) and parameter.type not in ("int", "float", "date"):
        return [f"min and max are for numbers and dates, not for type {parameter.type!r}."]
    if parameter.choices == ():
        return ["choices is empty; name at least one value or leave it out."]
    if _comparable(low, high) and low > high:  # type: ignore[operator]
        return [f"min {to_text(low)} is larger than max {to_text(high)}."]
    default = parameter.default
    if default is None or (is_relative(default) and parameter.type == "date"):
        return []
    reason = outside(parameter, default, None)
    return [f"default: {reason}"] if reason else []


def _comparable(left: object, right: object) -> bool:
    return left is not None and type(left) is type(right) and not isinstance(left, str)


def outside(parameter: Parameter, value: object, today: date | None) -> str:
    """Return why *value* is not allowed, or an empty text.

    Without *today*, bounds that depend on the day are not looked at.
    """
    if parameter.choices is not None and (reason := _not_chosen(parameter, value)):
        return reason
    low = _bound(parameter, parameter.minimum, today)
    high = _bound(parameter, parameter.maximum, today)
    if low is not None and value < low:  # type: ignore[operator]
        return f"found {to_text(value)}, expected at least {to_text(low)}."
    if high is not None and value > high:  # type: ignore[operator]
        return f"found {to_text(value)}, expected at most {to_text(high)}."
    return ""


def _not_chosen(parameter: Parameter, value: object) -> str:
    """Return why *value* is none of the choices, or, a list, holds something that is none."""
    choices = parameter.choices or ()
    if parameter.type != "list":
        others, expected = [value] if value not in choices else [], "one of"
    else:
        # As JSON: Python takes 1 and true for the same.
        known = {json.dumps(to_json_value(choice), sort_keys=True) for choice in choices}
        items = value if isinstance(value, list) else []
        others = [one for one in items if json.dumps(one, sort_keys=True) not in known]
        expected = "only"
    if not others:
        return ""
    texts = [to_text(choice) for choice in choices]
    near = did_you_mean(to_text(others[0]), texts)
    return (
        f"found {shown(to_text(others[0]))}, expected {expected}: {listed(texts)}. {near}".strip()
    )


def _bound(parameter: Parameter, bound: object, today: date | None) -> object:
    if not is_relative(bound):
        return bound
    return None if today is None else convert(parameter.type, bound, today)
