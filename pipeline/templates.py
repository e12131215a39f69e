"""Templates: found, read as data, and asked for their parameters; never executed here."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.repository.tree import Tree
from pipeline.template_parameters import (
    Cell,
    TemplateError,
    TemplateParameter,
    find_parameters,
    with_metadata,
)
from provenance.errors import ProvenoteError
from provenance.nearest import did_you_mean, listed

__all__ = [
    "Cell",
    "Template",
    "TemplateError",
    "TemplateParameter",
    "builtin_names",
    "read_template",
]

BUILTIN = "builtin:"
BUILTINS = Path(__file__).resolve().parents[1] / "report_templates"
MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 200
_HEADER_CHARACTERS = 20_000
_ALIAS = re.compile(r"""[\w."'-]+[ \t]*:[ \t]*\[?[ \t]*&\w|^[ \t#]*-[ \t]*&\w""", re.MULTILINE)
TEXT_SUFFIXES = (".py", ".md")
SUFFIXES = (".ipynb", *TEXT_SUFFIXES)

# A JSON string (closed or not, so that none is scanned twice), or a bracket.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+")


@dataclass(frozen=True)
class Template:
    """A notebook as the repository holds it.

    ``parameters_cell`` is the index in ``cells`` of the one that assigns the parameters;
    None when there is none. ``notebook_json`` is the whole notebook in nbformat 4.
    """

    path: str
    cells: tuple[Cell, ...]
    language: str
    parameters: tuple[TemplateParameter, ...]
    parameters_cell: int | None
    title: str | None
    description: str | None
    notebook_json: bytes
    kernel: str | None = None
    """Name of the kernelspec that the notebook was written with."""


def builtin_names(builtins: Path = BUILTINS) -> tuple[str, ...]:
    """Return the names of the templates that every installation has."""
    return tuple(sorted(path.stem for path in builtins.glob("*.ipynb")))


def read_template(tree: Tree, reference: str, builtins: Path = BUILTINS) -> Template:
    """Return the template at the path *reference* of *tree*, or the one "builtin:NAME" names.

    Raises TemplateError: no such template, too large or deep, no notebook, or a cell of
    parameters that cannot be read.
    """
    content = _content(tree, reference, builtins)
    if len(content) > MAX_BYTES:
        raise TemplateError(
            f"{reference} is larger than {MAX_BYTES // 1024**2} MiB.",
            "Save the notebook without its outputs.",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(f"{reference} is not UTF-8 (byte {error.start}).") from None
    if reference.endswith(TEXT_SUFFIXES):
        content, text = _from_text(reference, text)
    return _template(reference, content, _notebook(reference, text))


def _content(tree: Tree, reference: str, builtins: Path) -> bytes:
    if reference.startswith(BUILTIN):
        name = reference.removeprefix(BUILTIN)
        known = builtin_names(builtins)
        if name not in known:
            raise TemplateError(
                f"no built-in template {name!r}; there are: {listed(known)}.",
                did_you_mean(name, known),
            )
        return (builtins / f"{name}.ipynb").read_bytes()
    if not reference.endswith(SUFFIXES):
        raise TemplateError(
            f"found {reference!r}, expected a path that ends in {', '.join(SUFFIXES)}, "
            "or builtin:NAME."
        )
    if reference not in tree.files:
        end = reference[reference.rindex(".") :]
        known = tuple(sorted(path for path in tree.files if path.endswith(end)))
        raise TemplateError(f"{reference} is not in the project.", did_you_mean(reference, known))
    try:
        return tree.read(reference)
    except ProvenoteError as error:
        raise TemplateError(error.message, error.hint) from None


def _from_text(path: str, text: str) -> tuple[bytes, str]:
    """Return the notebook that a script or Markdown file stands for, as bytes and text."""
    import jupytext
    import nbformat

    if _ALIAS.search(text[:_HEADER_CHARACTERS]):
        # A few lines of aliases of aliases unfold to more than any memory holds.
        raise TemplateError(f"{path}: its header uses YAML anchors, which are not read.")
    try:
        notebook = jupytext.reads(text, fmt=path[path.rindex(".") :])
    except Exception as error:
        # Whatever a parser of a foreign file stumbles over, the file is what has to change.
        raise TemplateError(f"{path} cannot be read as a notebook: {error}.") from error
    for number, cell in enumerate(notebook.cells):
        # Ids are drawn at random, and the same file must always give the same notebook.
        cell["id"] = f"cell-{number}"
    written: str = nbformat.writes(notebook, version=4)
    return written.encode(), written


def _notebook(path: str, text: str) -> dict[str, Any]:
    _refuse_deep(path, text)
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise TemplateError(
            f"{path}, line {error.lineno}: not valid JSON ({error.msg}).",
            "Is it a notebook, without the marks of a merge conflict?",
        ) from None
    except (ValueError, RecursionError):
        raise TemplateError(f"{path} is not valid JSON.") from None
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise TemplateError(f"{path} is JSON, but not a notebook: it has no nbformat.")
    version = notebook["nbformat"]
    if not isinstance(version, int) or version < 4:
        raise TemplateError(
            f"{path} has nbformat {version}; provenote reads 4.",
            f"Upgrade it: jupyter nbconvert --to notebook --inplace {path}",
        )
    if version > 4:
        raise TemplateError(f"{path} has nbformat {version}; provenote reads 4.")
    return notebook


def _refuse_deep(path: str, text: str) -> None:
    """Raise TemplateError for JSON that is nested so deep that parsing it could exhaust us."""
    depth = 0
    for match in _TOKEN.finditer(text):
        if match[0] in "[{":
            depth += 1
        elif match[0] in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            raise TemplateError(f"{path} is nested more than {MAX_DEPTH} deep.")


def _template(path: str, content: bytes, notebook: dict[str, Any]) -> Template:
    metadata = _table(path, notebook.get("metadata", {}), "metadata")
    cells = _cells(path, notebook.get("cells"))
    kernelspec = _table(path, metadata.get("kernelspec", {}), "metadata.kernelspec")
    info = _table(path, metadata.get("language_info", {}), "metadata.language_info")
    language = str(kernelspec.get("language") or info.get("name") or "python").lower()
    index, found = find_parameters(path, cells, language)
    declared = _table(path, metadata.get("provenote", {}), "metadata.provenote")
    extra = _table(path, declared.get("parameters", {}), "metadata.provenote.parameters")
    title, description = _heading(cells)
    return Template(
        path=path,
        cells=cells,
        language=language,
        parameters=with_metadata(path, found, extra),
        parameters_cell=index,
        title=title,
        description=description,
        notebook_json=content,
        kernel=str(kernelspec["name"]) if kernelspec.get("name") else None,
    )


def _table(path: str, found: object, what: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise TemplateError(f"{path}: {what} is not a table.")
    return found


def _cells(path: str, found: object) -> tuple[Cell, ...]:
    if not isinstance(found, list):
        raise TemplateError(f"{path} has no list of cells.")
    return tuple(_cell(path, number, item) for number, item in enumerate(found, start=1))


def _cell(path: str, number: int, found: object) -> Cell:
    cell = _table(path, found, f"cell {number}")
    kind, source = cell.get("cell_type"), cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(kind, str) or not isinstance(source, str):
        raise TemplateError(f"{path}: cell {number} has no cell_type or no source of text.")
    tags = _table(path, cell.get("metadata", {}), f"cell {number}: metadata").get("tags", [])
    named = tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
    return Cell(kind, source, named)


def _heading(cells: tuple[Cell, ...]) -> tuple[str | None, str | None]:
    """Return the first heading of the first Markdown cell, and the paragraph below it."""
    first = next((cell.source for cell in cells if cell.kind == "markdown"), "")
    lines = iter(first.splitlines())
    for line in lines:
        match = _HEADING.match(line)
        text = line[match.end() :].strip().rstrip("#").rstrip() if match else ""
        if text:
            return text, _paragraph(list(lines))
    return None, None


def _paragraph(lines: list[str]) -> str | None:
    text = "\n".join(lines).strip().partition("\n\n")[0]
    return None if not text or text.startswith("#") else " ".join(text.split())
