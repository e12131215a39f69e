"""The fields of a form, made from the parameters of a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pipeline.parameter_values import UnfitValueError, convert
from pipeline.parameters import Parameter, Schema, to_text

PREFIX = "param."
SHOWN_PREFIX = "shown."
"""Marks a checkbox as shown, so that an unticked one is told from one that was not there."""

Widget = Literal["text", "number", "date", "checkbox", "select", "textarea"]
_WIDGETS: dict[str, Widget] = {
    "text": "text",
    "int": "number",
    "float": "number",
    "bool": "checkbox",
    "date": "date",
    "list": "textarea",
    "dict": "textarea",
}
_BOOLEANS = (True, False)


@dataclass(frozen=True)
class Field:
    """One parameter as a form shows it."""

    name: str
    """Name of the form field: ``param.`` and the parameter's name."""
    parameter: str
    label: str
    help: str
    widget: Widget
    value: str
    required: bool
    options: tuple[str, ...] = ()
    """Values to select from; the first is empty where the parameter may be left out."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Bounds and step, by their HTML names."""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class FieldSet:
    """The fields of a whole form."""

    fields: tuple[Field, ...]
    others: tuple[str, ...]
    """Problems that belong to no field: names that are not parameters."""


def make_fields(
    schema: Schema,
    values: Mapping[str, object],
    problems: Mapping[str, Sequence[str]],
    today: date,
) -> FieldSet:
    """Return one field a parameter, holding its entry in *values* or else its default."""
    fields = tuple(
        _field(parameter, values, tuple(problems.get(parameter.name, ())), today)
        for parameter in schema.parameters
    )
    others = [
        text for name, texts in problems.items() if name not in schema.names for text in texts
    ]
    return FieldSet(fields, tuple(others))


def read_fields(schema: Schema, form: Mapping[str, str]) -> dict[str, object]:
    """Return what a sent *form* gives for parameters, by their names.

    A field left blank gives nothing where the parameter may be absent. Fields that are no
    parameters are returned too, for the schema to refuse.
    """
    given: dict[str, object] = {
        name.removeprefix(PREFIX): text.replace("\r\n", "\n")
        for name, text in form.items()
        if name.startswith(PREFIX)
    }
    for parameter in schema.parameters:
        name = parameter.name
        if parameter.nullable and not str(given.get(name, "")).strip():
            given.pop(name, None)
        elif _widget(parameter) == "checkbox" and name not in given:
            given |= {name: "false"} if SHOWN_PREFIX + name in form else {}
    return given


def _field(
    parameter: Parameter, values: Mapping[str, object], problems: tuple[str, ...], today: date
) -> Field:
    found = values.get(parameter.name, parameter.default)
    value = _value_text(parameter, found, today)
    return Field(
        name=PREFIX + parameter.name,
        parameter=parameter.name,
        label=parameter.label or parameter.name.replace("_", " "),
        help=parameter.help or "",
        widget="textarea" if "\n" in value else _widget(parameter),
        value=value,
        required=not parameter.nullable and parameter.type not in ("text", "bool"),
        options=_options(parameter),
        attributes=_attributes(parameter, today),
        problems=problems,
    )


def _widget(parameter: Parameter) -> Widget:
    if parameter.choices is not None or (parameter.type == "bool" and parameter.nullable):
        return "select"
    return _WIDGETS[parameter.type]


def _options(parameter: Parameter) -> tuple[str, ...]:
    if _widget(parameter) != "select":
        return ()
    choices = _BOOLEANS if parameter.choices is None else parameter.choices
    blank = [] if not parameter.nullable else [""]
    return (*blank, *(to_text(choice) for choice in choices))


def _attributes(parameter: Parameter, today: date) -> dict[str, str]:
    step = {"int": {"step": "1"}, "float": {"step": "any"}}.get(parameter.type, {})
    bounds = {"min": parameter.minimum, "max": parameter.maximum}
    return step | {
        name: _value_text(parameter, bound, today)
        for name, bound in bounds.items()
        if bound is not None
    }


def _value_text(parameter: Parameter, value: object, today: date) -> str:
    """Return *value* as the widget holds it; what does not fit is shown as it was entered."""
    if value is None:
        return ""
    try:
        return to_text(convert(parameter.type, value, today))
    except UnfitValueError:
        return to_text(value)
