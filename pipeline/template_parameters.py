"""The parameters of a template: what one of its cells assigns, and what its metadata adds."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from pipeline.literals import SKIP, Annotation, annotation_of, annotation_text, literal_of
from pipeline.manifest_parts.models import ParameterSpec
from pipeline.parameter_values import Type, type_of
from pipeline.parameters import Parameter, valid_name
from pipeline.r_parameters import assignments
from provenance.errors import InvalidInputError
from provenance.nearest import shown
from provenance.parsing import parse

TAG = "parameters"
MAX_SOURCE = 200_000

# Lines that IPython takes for itself: magics and shell commands.
_IPYTHON = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
_TYPE_COMMENT = re.compile(r"type:\s*([\w.]+(?:\[[^#]*\])?)\s*(.*)")
_FOREIGN = re.compile(
    r"""^[ \t]*(?P<name>[A-Za-z_]\w*)[ \t]*(?:<-|=)[ \t]*
    (?P<value>-?[0-9][0-9.]*+(?:[eE][+-]?[0-9]+)?L?|"[^"\\\n]*"|'[^'\\\n]*'|[A-Za-z]+)
    [ \t]*+;?[ \t]*+(?:\#[ \t]*+(?P<help>[^\n]*))?$""",
    re.MULTILINE | re.VERBOSE,
)
_FOREIGN_WORDS = {"TRUE": True, "true": True, "T": True, "FALSE": False, "false": False, "F": False}


class TemplateError(InvalidInputError):
    """Raised when a template is missing, or is not a notebook that can be given parameters."""

    code = "template"


@dataclass(frozen=True)
class Cell:
    """A cell: ``kind`` is "code", "markdown" or "raw"."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class TemplateParameter(Parameter):
    """A parameter as the template gives it, before the manifest has its say.

    ``line`` is the one in its cell. ``default`` is as written: not yet made to fit ``type``.
    """

    line: int | None = None


def find_parameters(
    path: str, cells: Sequence[Cell], language: str
) -> tuple[int | None, tuple[TemplateParameter, ...]]:
    """Return the index of the cell that assigns the parameters, and what it assigns.

    It is the code cell tagged ``parameters``, else the first code cell if it has at least
    one simple assignment. Raises TemplateError if a tagged cell is not valid Python.
    """
    code = [index for index, cell in enumerate(cells) if cell.kind == "code"]
    tagged = next((index for index in code if TAG in cells[index].tags), None)
    index = tagged if tagged is not None else next(iter(code), None)
    if index is None:
        return None, ()
    source = cells[index].source.replace("\r\n", "\n").replace("\r", "\n")
    if language == "r":
        found = _of_r(source[:MAX_SOURCE])
    elif language not in ("python", "ipython"):
        found = _foreign(source[:MAX_SOURCE])
    else:
        found = _python(source, f"{path}, cell {index + 1}", strict=tagged is not None)
    return (index if found or tagged is not None else None), found


def with_metadata(
    path: str, found: Sequence[TemplateParameter], metadata: Mapping[str, object]
) -> tuple[TemplateParameter, ...]:
    """Return *found* with what the notebook's metadata ``provenote.parameters`` says of them.

    Raises TemplateError for a name that cannot be a variable, or a key that does not exist.
    """
    merged = {parameter.name: parameter for parameter in found}
    for name, raw in metadata.items():
        where = f"{path}: metadata.provenote.parameters.{name}"
        if not valid_name(name):
            raise TemplateError(f"{where}: {shown(name)} cannot be the name of a parameter.")
        try:
            spec = ParameterSpec.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise TemplateError(f"{where}: {key}: {first['msg']}.") from None
        merged[name] = overlaid(merged.get(name), name, spec)
    return tuple(merged.values())


def overlaid(base: TemplateParameter | None, name: str, spec: ParameterSpec) -> TemplateParameter:
    """Return *base*, the parameter *name*, with everything that *spec* sets put over it.

    A type that is given nowhere follows from default or choices, and is text at last.
    """
    said = spec.model_fields_set
    examples = [spec.default, *(spec.choices or ()), spec.minimum, spec.maximum]
    guesses = [type_of(value) for value in examples if value is not None]
    guess: Type = next((kind for kind in guesses if kind is not None), "text")
    if base is None:
        base = TemplateParameter(name, spec.type or guess, required=True)
    changes: dict[str, object] = {
        field: getattr(spec, field)
        for field in ("choices", "minimum", "maximum", "label", "help", "unit")
        if getattr(spec, field) is not None
    }
    if spec.type is not None or (base.type == "text" and "default" in said):
        # A text in the template may well be a date: the manifest's default tells.
        changes["type"] = spec.type or guess
    if "default" in said:
        changes |= {"default": spec.default, "required": False}
    return replace(base, **changes)  # type: ignore[arg-type]


def _python(source: str, where: str, *, strict: bool) -> tuple[TemplateParameter, ...]:
    try:
        body = _statements(source, where)
    except TemplateError:
        if strict:
            raise
        # It was never said to hold parameters; executing it will tell what is wrong.
        return ()
    lines = source.split("\n")
    found: dict[str, TemplateParameter] = {}
    for node in body:
        parameter = _assignment(node, lines)
        if parameter is not None:
            found[parameter.name] = parameter
    return tuple(found.values())


def _statements(source: str, where: str) -> list[ast.stmt]:
    if len(source) > MAX_SOURCE:
        raise TemplateError(f"{where}: the cell of parameters is too long.")
    if source.lstrip().startswith("%%"):
        raise TemplateError(f"{where}: a cell of parameters is plain Python, without %% magic.")
    try:
        try:
            return parse(source).body
        except SyntaxError:
            return parse(_IPYTHON.sub("", source)).body
    except SyntaxError as error:
        raise TemplateError(f"{where}, line {error.lineno}: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError):
        raise TemplateError(f"{where}: the cell of parameters cannot be parsed.") from None


def _assignment(node: ast.stmt, lines: list[str]) -> TemplateParameter | None:
    target: ast.expr
    if isinstance(node, ast.AnnAssign):
        target, annotation = node.target, annotation_of(node.annotation)
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, annotation = node.targets[0], Annotation()
    else:
        return None
    if not isinstance(target, ast.Name) or not valid_name(target.id):
        return None
    comment = _comment(node, lines)
    typed = _TYPE_COMMENT.fullmatch(comment)
    if typed and (said := annotation_text(typed[1])).kind is not None:
        annotation, comment = said, typed[2]
    if node.value is None:
        return _unassigned(target.id, annotation, comment, node.lineno)
    value = literal_of(node.value)
    if value is SKIP:
        return None
    return TemplateParameter(
        name=target.id,
        type=annotation.kind or type_of(value) or "text",
        default=value,
        choices=annotation.choices,
        help=comment or None,
        line=node.lineno,
    )


def _unassigned(
    name: str, annotation: Annotation, comment: str, line: int
) -> TemplateParameter | None:
    """Return the parameter that ``name: type`` declares; it has to be given."""
    if annotation.kind is None:
        return None
    return TemplateParameter(
        name=name,
        type=annotation.kind,
        required=not annotation.optional,
        choices=annotation.choices,
        help=comment or None,
        line=line,
    )


def _comment(node: ast.stmt, lines: list[str]) -> str:
    """Return the comment that follows *node* on its last line."""
    line = lines[(node.end_lineno or node.lineno) - 1].encode()
    rest = line[node.end_col_offset or 0 :].decode(errors="replace").strip(" \t;")
    return rest.lstrip("#").strip() if rest.startswith("#") else ""


def _of_r(source: str) -> tuple[TemplateParameter, ...]:
    """Return the assignments of R: ``n <- 5L``, ``day <- as.Date("2013-01-31")``, ``c(1, 2)``."""
    found: dict[str, TemplateParameter] = {}
    for one in assignments(source):
        annotation, comment = Annotation(), one.comment
        typed = _TYPE_COMMENT.fullmatch(comment)
        if typed and (said := annotation_text(typed[1])).kind is not None:
            annotation, comment = said, typed[2]
        kind = annotation.kind or type_of(one.value) or "text"
        if valid_name(one.name) and (one.value is None or type_of(one.value) is not None):
            found[one.name] = TemplateParameter(
                name=one.name,
                type=kind,
                default=one.value,
                choices=annotation.choices,
                help=comment or None,
                line=one.line,
            )
    return tuple(found.values())


def _foreign(source: str) -> tuple[TemplateParameter, ...]:
    """Return the simple assignments of Octave, Julia and their like: ``n = 5``, ``s = "x"``."""
    found: dict[str, TemplateParameter] = {}
    for match in _FOREIGN.finditer(source):
        value = _foreign_value(match["value"])
        kind = type_of(value)
        if kind is not None and valid_name(match["name"]):
            line = source.count("\n", 0, match.start("name")) + 1
            found[match["name"]] = TemplateParameter(
                match["name"], kind, value, help=match["help"] or None, line=line
            )
    return tuple(found.values())


def _foreign_value(text: str) -> object:
    if text[0] in "\"'":
        return text[1:-1]
    if text[0].isalpha():
        return _FOREIGN_WORDS.get(text)
    try:
        return float(text) if re.search(r"[.eE]", text) else int(text.removesuffix("L"))
    except ValueError:
        return None
