"""The fields of a form, made from the parameters of a report."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from app.intake.rows import write_lines
from app.intake.sent import LINED, PREFIX, SEVERAL_PREFIX, Sent
from pipeline.parameter_values import Type, UnfitValueError, convert
from pipeline.parameters import Parameter, Schema, to_text
from pipeline.relative_dates import is_relative
from pipeline.sweep import RANGED, SCALARS

Widget = Literal[
    "text", "number", "date", "checkbox", "radios", "select", "checkboxes", "lines", "textarea"
]
_WIDGETS: dict[Type, Widget] = {
    "text": "text",
    "int": "number",
    "float": "number",
    "bool": "checkbox",
    "date": "date",
    "list": "lines",
    "dict": "lines",
}
MOST_RADIOS = 5
"""Of more choices than these, one is picked from a list that opens."""
_BOOLEANS = (True, False)
_SLIDES = 100
"""Into about so many steps a slider is divided; to be exact there is the number beside it."""
_LARGEST = 2**53
_EXAMPLES: dict[Type, str] = {
    "int": "1 .. 9 step 2",
    "float": "0 .. 1 step 0.1",
    "date": "2013-01-01 .. 2013-12-31 step 7d",
}


@dataclass(frozen=True)
class Several:
    """Where a field takes several values at once."""

    name: str
    lines: tuple[str, ...]
    options: tuple[str, ...]
    """Values to tick; none where any may be written."""
    example: str
    """A range of values, where the type has ranges."""


@dataclass(frozen=True)
class Field:
    """One parameter as a form shows it."""

    name: str
    """Name of the form field: ``param.`` and the parameter's name."""
    parameter: str
    label: str
    help: str
    unit: str
    widget: Widget
    value: str
    required: bool
    several: Several | None
    chosen: tuple[str, ...] = ()
    """The options that are ticked."""
    options: tuple[str, ...] = ()
    """Values to choose from; the first is empty where the parameter may be left out."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Bounds and step, by their HTML names."""
    slider: Mapping[str, str] = field(default_factory=dict)
    """The same for a slider; nothing where there is none."""
    day: str = ""
    """The day that a date is, as it is entered."""
    is_table: bool = False
    problems: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its name in the page."""
        return f"field-{self.parameter}"

    @property
    def is_explained(self) -> bool:
        """Whether a line of help stands beside it; how dates are said is always told."""
        return bool(self.help) or self.widget == "date"

    @property
    def is_group(self) -> bool:
        """Whether it is several controls under one heading."""
        return self.widget in ("radios", "checkboxes")


@dataclass(frozen=True)
class FieldSet:
    """The fields of a whole form."""

    fields: tuple[Field, ...]
    others: tuple[str, ...]
    """Problems that belong to no field: names that are not parameters."""


def make_fields(
    schema: Schema, sent: Sent, problems: Mapping[str, Sequence[str]], today: date
) -> FieldSet:
    """Return one field a parameter, holding its entry in *sent* or else its default."""
    fields = tuple(
        _field(parameter, sent, tuple(problems.get(parameter.name, ())), today)
        for parameter in schema.parameters
    )
    others = [
        text for name, texts in problems.items() if name not in schema.names for text in texts
    ]
    return FieldSet(fields, tuple(others))


def _field(parameter: Parameter, sent: Sent, problems: tuple[str, ...], today: date) -> Field:
    name, kind = parameter.name, parameter.type
    found = sent.values.get(name, parameter.default)
    widget, value, chosen = _shown(parameter, found, today)
    return Field(
        name=PREFIX + name,
        parameter=name,
        label=parameter.label or name.replace("_", " "),
        help=parameter.help or "",
        unit=parameter.unit or "",
        widget=widget,
        value=value,
        required=not parameter.nullable and kind not in ("text", "bool", *LINED),
        several=_several(parameter, sent) if kind in SCALARS else None,
        chosen=chosen,
        options=_options(parameter),
        attributes=_attributes(parameter, today),
        slider=_slider(parameter),
        day=_day(found, today) if kind == "date" else "",
        is_table=kind == "dict",
        problems=problems,
    )


def _shown(parameter: Parameter, found: object, today: date) -> tuple[Widget, str, tuple[str, ...]]:
    """Return the widget that can hold *found*, its text, and the options that are ticked.

    Where the usual one cannot, it is a plain text: nothing is lost by opening a form.
    """
    widget, text = _widget(parameter), _text(parameter, found, today)
    if parameter.type in LINED and parameter.choices is None:
        written = _lines(parameter, found, today)
        return ("textarea", text, ()) if written is None else ("lines", written, ())
    if widget == "checkboxes":
        chosen = _chosen(parameter, found, today)
        return ("textarea", text, ()) if chosen is None else (widget, "", chosen)
    return "textarea" if widget == "text" and "\n" in text else widget, text, ()


def _widget(parameter: Parameter) -> Widget:
    if parameter.choices is None:
        nullable = parameter.type == "bool" and parameter.nullable
        return "radios" if nullable else _WIDGETS[parameter.type]
    if parameter.type == "list":
        return "checkboxes"
    return "radios" if len(parameter.choices) <= MOST_RADIOS else "select"


def _options(parameter: Parameter) -> tuple[str, ...]:
    widget = _widget(parameter)
    if widget not in ("radios", "select", "checkboxes"):
        return ()
    choices = _BOOLEANS if parameter.choices is None else parameter.choices
    blank = [""] if parameter.nullable and widget != "checkboxes" else []
    return (*blank, *(to_text(choice) for choice in choices))


def _several(parameter: Parameter, sent: Sent) -> Several:
    choices = _BOOLEANS if parameter.type == "bool" else parameter.choices or ()
    return Several(
        name=SEVERAL_PREFIX + parameter.name,
        lines=tuple(sent.several.get(parameter.name, ())),
        options=tuple(to_text(choice) for choice in choices),
        example=_EXAMPLES[parameter.type] if parameter.type in RANGED else "",
    )


def _lines(parameter: Parameter, found: object, today: date) -> str | None:
    if found is None:
        return ""
    try:
        value = convert(parameter.type, found, today)
    except UnfitValueError:
        # Lines that are no table, to be put right.
        return found if isinstance(found, str) and found.lstrip()[:1] not in ("[", "{") else None
    empty = value in ([], {}) and parameter.nullable  # no line at all is no list at all
    return None if empty else write_lines(parameter, value)


def _chosen(parameter: Parameter, found: object, today: date) -> tuple[str, ...] | None:
    """Return the choices that a list consists of; None if ticks cannot say so."""
    if found is None:
        return ()
    try:
        value = convert(parameter.type, found, today)
    except UnfitValueError:
        return None
    texts = [to_text(item) for item in value] if isinstance(value, list) else []
    in_order = [option for option in _options(parameter) if option in texts]
    return tuple(texts) if texts == in_order and (texts or not parameter.nullable) else None


def _attributes(parameter: Parameter, today: date) -> dict[str, str]:
    step = {"int": {"step": "1"}, "float": {"step": "any"}}.get(parameter.type, {})
    bounds = {"min": parameter.minimum, "max": parameter.maximum}
    return step | {
        name: _day(bound, today) or _text(parameter, bound, today)
        for name, bound in bounds.items()
        if bound is not None
    }


def _slider(parameter: Parameter) -> dict[str, str]:
    """Return bounds and step of a slider: of a number between two others."""
    low, high = parameter.minimum, parameter.maximum
    if parameter.choices is not None or not isinstance(low, int | float):
        return {}
    if not isinstance(high, int | float) or not 0 < high - low < _LARGEST:
        return {}
    step = 10.0 ** math.floor(math.log10((high - low) / _SLIDES))
    if parameter.type == "int":
        step = max(1, int(step))
    return {"min": to_text(low), "max": to_text(high), "step": to_text(step)}


def _day(found: object, today: date) -> str:
    """Return the day that *found* is, or an empty text where it is none."""
    try:
        return to_text(convert("date", found, today))
    except UnfitValueError:
        return ""


def _text(parameter: Parameter, value: object, today: date) -> str:
    """Return *value* as one text; what does not fit, and relative dates, as they were entered."""
    if value is None:
        return ""
    if parameter.type == "date" and is_relative(value):
        return to_text(value).strip()
    try:
        return to_text(convert(parameter.type, value, today))
    except UnfitValueError:
        return to_text(value)
