"""Lists and tables as lines of text: an item a line, or ``name = value``.

What is written is read back as it was. What lines cannot hold is not written: a form shows it
as JSON, which every field for a list or table takes too.
"""

import json
from collections.abc import Mapping
from typing import NoReturn

from pipeline.parameter_values import UnfitValueError
from pipeline.parameters import Parameter
from provenance.nearest import shown

_BRACKETS = {"list": "[", "dict": "{"}


def is_json(parameter: Parameter, text: str) -> bool:
    """Tell whether *text* is meant as JSON, not as lines."""
    return text.lstrip().startswith(_BRACKETS[parameter.type])


def has_texts(parameter: Parameter) -> bool:
    """Tell whether the items of *parameter* are texts, by its default: then ``1`` is a text too."""
    default = parameter.default
    items = list(default.values()) if isinstance(default, Mapping) else default
    return isinstance(items, list) and items != [] and all(isinstance(one, str) for one in items)


def write_lines(parameter: Parameter, value: object) -> str | None:
    """Return *value*, a list or table, as lines; None where lines cannot hold it."""
    texts = has_texts(parameter)
    if isinstance(value, Mapping):
        text = "\n".join(f"{name} = {_written(item, texts)}" for name, item in value.items())
    elif isinstance(value, list):
        text = "\n".join(_written(item, texts) for item in value)
    else:
        return None
    try:
        same = not is_json(parameter, text) and read_lines(parameter, text) == value
    except UnfitValueError:
        return None
    # Python takes 1, 1.0 and true for the same; in JSON they are not.
    return text if same and _json(read_lines(parameter, text)) == _json(value) else None


def read_lines(parameter: Parameter, text: str) -> list[object] | dict[str, object]:
    """Return the list or table that the lines of *text* hold; blank lines are none.

    Raises UnfitValueError for a line of a table that has no ``=``, or names what another does.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    texts = has_texts(parameter)
    if parameter.type == "list":
        return [_read(line, texts) for line in lines]
    table: dict[str, object] = {}
    for line in lines:
        name, equals, item = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise UnfitValueError(f"found {shown(line)}, expected a line like name = value.")
        if name in table:
            raise UnfitValueError(f"found {shown(name)} twice, expected each name once.")
        table[name] = _read(item, texts)
    return table


def _written(item: object, texts: bool) -> str:
    if isinstance(item, str) and (texts or _read(item, texts) == item):
        return item
    return _json(item)


def _read(text: str, texts: bool) -> object:
    """Return what *text* is in JSON, where it is any and not all items are texts; else itself."""
    if texts:
        return text
    try:
        found: object = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
