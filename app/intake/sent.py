"""What a sent form, or the query of its address, gives for the parameters of a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from app.intake.rows import is_json, read_lines
from pipeline.parameter_values import UnfitValueError
from pipeline.parameters import Parameter, Schema, to_text

PREFIX = "param."
SHOWN_PREFIX = "shown."
"""Marks checkboxes as shown, so that unticked ones are told from those that were not there."""
SEVERAL_PREFIX = "several."
LINED = ("list", "dict")


@dataclass(frozen=True)
class Sent:
    """The entries of a form, for the schema to check."""

    values: Mapping[str, object] = field(default_factory=dict)
    several: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Lines of the parameters that have several values."""
    problems: Mapping[str, list[str]] = field(default_factory=dict)
    """What could not even be read; the entry is then given as it was."""


def read_form(schema: Schema, form: MultiDict[str, str]) -> Sent:
    """Return what *form* gives for parameters, by their names.

    A field left blank gives nothing where the parameter may be absent. Fields that are no
    parameters are returned too, for the schema to refuse.
    """
    values: dict[str, object] = {}
    problems: dict[str, list[str]] = {}
    for name, texts in _texts(form, PREFIX).items():
        parameter = schema.by_name.get(name)
        values[name] = texts[0]
        if parameter is not None and parameter.type in LINED:
            try:
                values[name] = _lined(parameter, texts)
            except UnfitValueError as error:
                problems[name] = [error.message]
    for parameter in schema.parameters:
        name = parameter.name
        if parameter.nullable and _is_blank(values.get(name)):
            values.pop(name, None)
        elif SHOWN_PREFIX + name in form and name not in values:
            values[name] = [] if parameter.type == "list" else "false"
    return Sent(values, _several(form), problems)


def _is_blank(entry: object) -> bool:
    return not entry.strip() if isinstance(entry, str) else entry in (None, [], {})


def _texts(form: MultiDict[str, str], prefix: str) -> dict[str, list[str]]:
    return {
        name.removeprefix(prefix): [text.replace("\r\n", "\n") for text in texts]
        for name, texts in form.lists()
        if name.startswith(prefix)
    }


def _several(form: MultiDict[str, str]) -> dict[str, list[str]]:
    lines = {
        name: [line.strip() for text in texts for line in text.split("\n") if line.strip()]
        for name, texts in _texts(form, SEVERAL_PREFIX).items()
    }
    return {name: found for name, found in lines.items() if found}


def _lined(parameter: Parameter, texts: list[str]) -> object:
    """Return what a field for a list or table gives: ticked choices, lines, or text in JSON."""
    if parameter.type == "list" and parameter.choices is not None:
        by_text = {to_text(choice): choice for choice in parameter.choices}
        if all(text in by_text for text in texts):
            return [by_text[text] for text in texts]
    text = "\n".join(texts)
    if is_json(parameter, text):
        return text
    if parameter.choices is not None and parameter.type == "dict":
        return text  # one of several tables, each an option in JSON
    blank = not text.strip()
    return text if blank and parameter.required else read_lines(parameter, text)
