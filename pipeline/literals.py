"""Literals and annotations of Python code, read from its syntax tree without running it."""

import ast
from dataclasses import dataclass, replace
from datetime import date

from pipeline.parameter_values import Type, type_of
from provenance.parsing import parse

SKIP = object()

_ANNOTATIONS: dict[str, Type] = {
    "int": "int",
    "float": "float",
    "bool": "bool",
    "str": "text",
    "date": "date",
    "list": "list",
    "List": "list",
    "Sequence": "list",
    "tuple": "list",
    "dict": "dict",
    "Dict": "dict",
    "Mapping": "dict",
}


@dataclass(frozen=True)
class Annotation:
    """What an annotation says of a parameter; ``kind`` is None where it says nothing."""

    kind: Type | None = None
    choices: tuple[object, ...] | None = None
    optional: bool = False


def literal_of(node: ast.expr) -> object:
    """Return the value of a literal that JSON can hold, or of ``date(2013, 1, 31)``.

    Anything else gives SKIP.
    """
    if isinstance(node, ast.Call):
        return _date_call(node)
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return SKIP
    return value if value is None or type_of(value) is not None else SKIP


def _date_call(node: ast.Call) -> object:
    if _last_name(node.func) != "date" or node.keywords:
        return SKIP
    try:
        numbers = [ast.literal_eval(argument) for argument in node.args]
        return date(*numbers)
    except (ValueError, TypeError, OverflowError):
        return SKIP


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def annotation_text(text: str) -> Annotation:
    """Return what the annotation *text* says; nothing if it is none."""
    try:
        return annotation_of(parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Annotation()


def annotation_of(node: ast.expr) -> Annotation:
    """Return what the annotation *node* says of a parameter; nothing if it is not known."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return annotation_text(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right])
    if not isinstance(node, ast.Subscript):
        return Annotation(_ANNOTATIONS.get(_last_name(node)))
    return _subscript(_last_name(node.value), node.slice)


def _subscript(outer: str, index: ast.expr) -> Annotation:
    inner = list(index.elts) if isinstance(index, ast.Tuple) else [index]
    if not inner:
        return Annotation()
    if outer == "Literal":
        return _choices([literal_of(item) for item in inner])
    if outer == "Optional":
        return replace(annotation_of(inner[0]), optional=True)
    if outer == "Union":
        return _union(inner)
    if outer == "Annotated":
        return annotation_of(inner[0])
    kind = _ANNOTATIONS.get(outer)
    # Of list[Literal["a", "b"]], what may stand in it.
    return Annotation(kind, annotation_of(inner[0]).choices if kind == "list" else None)


def _union(members: list[ast.expr]) -> Annotation:
    """Return what ``X | None`` says; a union of several types says nothing."""
    empty = [isinstance(node, ast.Constant) and node.value is None for node in members]
    others = [node for node, is_none in zip(members, empty, strict=True) if not is_none]
    if len(others) != 1:
        return Annotation(optional=any(empty))
    return replace(annotation_of(others[0]), optional=any(empty))


def _choices(values: list[object]) -> Annotation:
    given = tuple(value for value in values if value is not None and value is not SKIP)
    kinds = {type_of(value) for value in given}
    kind = kinds.pop() if len(kinds) == 1 else None
    return Annotation(kind, given if kind else None, optional=None in values)
