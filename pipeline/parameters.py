"""The parameters of a report: declared once, the same for form, hook, API and CLI."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pipeline.parameter import (
    ANY_DAY,
    Parameter,
    ParameterError,
    ParameterProblem,
    normalised,
    outside,
    valid_name,
)
from pipeline.parameter_values import EXPECTED, UnfitValueError, convert, to_json_value, to_text
from pipeline.relative_dates import is_relative
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
_MISSING = object()


@dataclass(frozen=True)
class Resolved:
    """A value that may be injected, and who chose it."""

    value: object
    origin: Origin


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
        value = convert(parameter.type, found, today or ANY_DAY)
    except UnfitValueError as error:
        raise UnfitValueError(f"{name}: {error.message}") from None
    if today is None and parameter.type == "date" and is_relative(found):
        return value
    if reason := outside(parameter, value, today):
        raise UnfitValueError(f"{name}: {reason}")
    return value


def params_to_json(resolved: Mapping[str, Resolved]) -> dict[str, object]:
    """Return the values of *resolved* as a JSON object, in the same order."""
    return {name: to_json_value(item.value) for name, item in resolved.items()}
