"""The parameters of a report: declared once, the same for form, hook, API and CLI."""

import keyword
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from pipeline.parameter_values import (
    EXPECTED,
    Type,
    UnfitValueError,
    convert,
    is_relative,
    to_json_value,
    to_text,
)
from provenance.errors import InvalidInputError
from provenance.nearest import did_you_mean, listed, shown

__all__ = [
    "Parameter",
    "ParameterError",
    "ParameterProblem",
    "Resolved",
    "Schema",
    "normalised",
    "params_to_json",
    "to_json_value",
    "to_text",
    "valid_name",
]

Origin = Literal["given", "case", "default"]
# Any day does where only the form of a value is checked.
_ANY_DAY = date(2000, 1, 1)
_MISSING = object()


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
    minimum: object = None
    maximum: object = None
    label: str | None = None
    help: str | None = None

    @property
    def nullable(self) -> bool:
        """Whether None is a value of it."""
        return not self.required and self.default is None


@dataclass(frozen=True)
class Resolved:
    """A value that may be injected, and who chose it."""

    value: object
    origin: Origin


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
            return convert(parameter.type, raw, _ANY_DAY)
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
            fitted.append(convert(parameter.type, choice, _ANY_DAY))
        except UnfitValueError as error:
            problems.append(f"choices: {error.message}")
    return tuple(fitted)


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
    reason = _outside(parameter, default, None)
    return [f"default: {reason}"] if reason else []


def _comparable(left: object, right: object) -> bool:
    return left is not None and type(left) is type(right) and not isinstance(left, str)


def _outside(parameter: Parameter, value: object, today: date | None) -> str:
    """Return why *value* is not allowed, or an empty text.

    Without *today*, bounds that depend on the day are not looked at.
    """
    if parameter.choices is not None and value not in parameter.choices:
        choices = listed(to_text(choice) for choice in parameter.choices)
        near = did_you_mean(to_text(value), [to_text(choice) for choice in parameter.choices])
        return f"found {shown(to_text(value))}, expected one of: {choices}. {near}".strip()
    low = _bound(parameter, parameter.minimum, today)
    high = _bound(parameter, parameter.maximum, today)
    if low is not None and value < low:  # type: ignore[operator]
        return f"found {to_text(value)}, expected at least {to_text(low)}."
    if high is not None and value > high:  # type: ignore[operator]
        return f"found {to_text(value)}, expected at most {to_text(high)}."
    return ""


def _bound(parameter: Parameter, bound: object, today: date | None) -> object:
    if not is_relative(bound):
        return bound
    return None if today is None else convert(parameter.type, bound, today)


@dataclass(frozen=True)
class Schema:
    """All parameters of a report, in the order in which forms show them.

    What is not declared here never reaches a template. Raises ParameterError for a name that
    is no variable, or that stands here twice.
    """

    parameters: tuple[Parameter, ...]

    def __post_init__(self) -> None:
        problems = [
            ParameterProblem(name, f"{shown(name)} cannot be the name of a parameter.")
            for name in self.names
            if not valid_name(name)
        ]
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            problems.append(ParameterProblem(twice, f"{twice} is declared twice."))
        if problems:
            raise ParameterError(problems)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def by_name(self) -> dict[str, Parameter]:
        """All parameters by name, in order."""
        return {parameter.name: parameter for parameter in self.parameters}

    def resolve(
        self, raw: Mapping[str, object], today: date, case: Mapping[str, object] | None = None
    ) -> dict[str, Resolved]:
        """Return a value for every parameter: from *raw*, else *case*, else the default.

        Values may be texts (form, CLI) or JSON or TOML values. Relative dates are put to
        *today*. Raises ParameterError with all problems: names that are not declared, values
        that do not fit, parameters left out that have no default.
        """
        return self._resolve(raw, case or {}, today)

    def check(self, raw: Mapping[str, object]) -> None:
        """Raise ParameterError if *raw* could on no day be resolved; see `resolve`."""
        self._resolve(raw, {}, None)

    def _resolve(
        self, raw: Mapping[str, object], case: Mapping[str, object], today: date | None
    ) -> dict[str, Resolved]:
        problems = [
            ParameterProblem(name[:200], undeclared(name, self.names))
            for name in dict.fromkeys([*raw, *case])
            if name not in self.names
        ]
        resolved: dict[str, Resolved] = {}
        for parameter in self.parameters:
            found, origin = _chosen(parameter, raw, case)
            try:
                resolved[parameter.name] = Resolved(_value(parameter, found, today), origin)
            except UnfitValueError as error:
                problems.append(ParameterProblem(parameter.name, error.message))
        if problems:
            raise ParameterError(problems)
        return resolved


def undeclared(name: str, names: Sequence[str]) -> str:
    """Return the message for *name*, which is none of the parameters *names*."""
    near = did_you_mean(name, names)
    told = (f"{shown(name)} is not a parameter.", near, f"There are: {listed(names)}.")
    return " ".join(part for part in told if part)


def _chosen(
    parameter: Parameter, raw: Mapping[str, object], case: Mapping[str, object]
) -> tuple[object, Origin]:
    if parameter.name in raw:
        return raw[parameter.name], "given"
    if parameter.name in case:
        return case[parameter.name], "case"
    return (_MISSING if parameter.required else parameter.default), "default"


def _value(parameter: Parameter, found: object, today: date | None) -> object:
    name, expected = parameter.name, EXPECTED[parameter.type]
    if found is _MISSING:
        raise UnfitValueError(f"{name} is missing; expected {expected}.")
    blank = isinstance(found, str) and not found.strip() and parameter.type != "text"
    if parameter.nullable and (found is None or blank):
        return None
    if blank:
        raise UnfitValueError(f"{name} is empty; expected {expected}.")
    try:
        value = convert(parameter.type, found, today or _ANY_DAY)
    except UnfitValueError as error:
        raise UnfitValueError(f"{name}: {error.message}") from None
    if today is None and parameter.type == "date" and is_relative(found):
        return value
    if reason := _outside(parameter, value, today):
        raise UnfitValueError(f"{name}: {reason}")
    return value


def params_to_json(resolved: Mapping[str, Resolved]) -> dict[str, object]:
    """Return the values of *resolved* as a JSON object, in the same order."""
    return {name: to_json_value(item.value) for name, item in resolved.items()}
