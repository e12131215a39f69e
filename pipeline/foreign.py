"""Notebooks in other languages than Python: what defines them, and where they are executed.

Their kernel runs on a private copy of the files that they stand on, laid out as in the
repository, in the folder of the notebook: what a foreign program opens cannot be observed.
"""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.definition import closure_code
from pipeline.kernelspecs import FoundKernel, kernel_folders, kernel_for
from pipeline.stages.programs import command_environment
from pipeline.step import Definition
from pipeline.templates import BUILTIN, Template
from pipeline.workplace import RESULTS, Workplace
from provenance.errors import InvalidInputError
from provenance.identity.closure import Closure
from provenance.identity.commands import script_closure
from provenance.identity.notebook import Cell, execution_cells
from provenance.nearest import listed, shown

if TYPE_CHECKING:
    from pipeline.situation import Situation

PROJECT = "project"
"""Where below the workplace the notebook's files lie."""
OUTPUTS = "PROVENOTE_OUTPUTS"
_TEXT = re.compile(r"[\w.,:+@= -]*", re.ASCII)
_PATH = re.compile(r"[\w.,:+@= /-]*", re.ASCII)
_SAFE = frozenset({"r", "python", "ipython"})
"""Languages in which any value can be written without becoming code."""
_WRITABLE = frozenset({"bash", "julia", "matlab", "octave", "scala"})
"""Others in which papermill writes values."""
_PACKAGES = {"r": frozenset({"r:IRkernel"})}
_STARTED = {"octave": frozenset({"octave-cli"})}


class ForeignValueError(InvalidInputError):
    """Raised when a value cannot safely be written in the language of a notebook."""

    code = "foreign_value"


def foreign_kernel(
    situation: "Situation", template: Template, wanted: str | None
) -> FoundKernel | None:
    """Return the kernel that executes *template*; None where the environment's own does.

    Raises UnknownKernelError and TemplateError.
    """
    return kernel_for(kernel_folders(situation.environment.root), template, wanted)


def foreign_definition(
    situation: "Situation", template: Template, kernel: FoundKernel
) -> Definition:
    """Return the code cells of *template*, the files that they name, and the kernel's tool."""
    checkout, venv = situation.checkout, situation.environment.root
    sources = [
        (f"{template.path.removeprefix(BUILTIN)}#{number}", cell.source)
        for number, cell in enumerate(template.cells, start=1)
        if cell.kind == "code"
    ]
    found = script_closure(checkout.root, checkout.tree.files, template.language, sources)
    closure = _with_kernel(found, template.language, kernel)
    cells = [Cell(cell.kind, cell.tags, cell.source) for cell in template.cells]
    start: dict[str, object] = {
        "cells": execution_cells(cells, template.language),
        "kernel": kernel.keyed(venv),
    }
    keyed, told = closure_code(closure, start)
    environment = command_environment(situation, kernel.command(venv)[0], closure)
    content = {"kernel": kernel, "files": tuple(file.path for file in closure.files)}
    return Definition(keyed, told, environment, content)


def _with_kernel(closure: Closure, language: str, kernel: FoundKernel) -> Closure:
    """Return the closure with what the kernel itself stands on."""
    words = kernel.argv
    modules = {
        words[place + 1].partition(".")[0] for place, word in enumerate(words[:-1]) if word == "-m"
    }
    imports = closure.imports | modules | _PACKAGES.get(language, frozenset())
    programs = closure.programs | _STARTED.get(language, frozenset())
    return replace(closure, imports=frozenset(imports), programs=frozenset(programs))


def notebook_folder(template: Template, place: Workplace) -> Path:
    """Return the directory that the kernel starts in: where the notebook lies in the project."""
    own = "" if template.path.startswith(BUILTIN) else os.path.dirname(template.path)  # noqa: PTH120
    return place.root / PROJECT / own


def lay_project(root: Path, files: tuple[str, ...], directory: Path, folder: Path) -> None:
    """Copy the *files* of the checkout at *root* to *directory*; *folder* is there afterwards."""
    folder.mkdir(parents=True)
    for path in files:
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / path, target)


def told_to_kernel(place: Workplace) -> dict[str, str]:
    """Return the variables by which other languages leave metrics, checks and files."""
    told = {RESULTS: str(place.results), OUTPUTS: str(place.outputs)}
    spoken = {"LANG", "LC_ALL"} & set(place.environment(Path(), {}))
    return told if spoken else {**told, "LC_ALL": "C.UTF-8"}  # else letters become bytes


def check_values(template: Template, values: Mapping[str, Any]) -> None:
    """Raise ForeignValueError for a value that could become code in the template's language.

    Who asks for a run chooses the values. What a text may hold is known for Python and R; in
    other languages a dollar sign or a quote may begin something to be executed.
    """
    if template.language in _SAFE:
        return
    if values and template.language not in _WRITABLE:
        raise ForeignValueError(
            f"{template.path} is written in {template.language}, and cannot be given values: "
            f"{listed(values)}.",
            "Let it read an input, and assign nothing that is plain in its first cell.",
        )
    for name, value in values.items():
        _check(template, name, value)


def _check(template: Template, name: str, value: Any) -> None:
    if isinstance(value, list):
        for one in value:
            _check(template, name, one)
    elif isinstance(value, dict) or (isinstance(value, str) and not _TEXT.fullmatch(value)):
        raise ForeignValueError(
            f"{name} is {shown(value)}; in {template.language} a text may hold letters, digits, "
            "blanks and . , : + @ = _ - alone.",
            "Other texts could be executed there. Let the notebook read them from an input.",
        )


def check_input(template: Template, name: str, part: str | None, path: str) -> None:
    """Raise ForeignValueError where an input's path, or its part, could become code as well.

    Who publishes a batch chooses the name of its partition, which is part and path in one.
    """
    if template.language in _SAFE:
        return
    for text in (part or "", path):
        if not _PATH.fullmatch(text):
            raise ForeignValueError(
                f"The input {name} has {shown(text)}; in {template.language} the name of a part "
                "and its path may hold letters, digits, blanks and . , : + @ = _ - / alone.",
                "Other texts could be executed there. Publish the partition under another name, "
                "or take a pattern that it does not fit.",
            )
