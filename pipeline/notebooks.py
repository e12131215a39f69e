"""Notebooks that are executed, as reports or as stages: what defines them, what they are given."""

import json
from dataclasses import replace
from datetime import date
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.definition import closure_code, python_environment
from pipeline.foreign import (
    PROJECT,
    check_input,
    check_values,
    foreign_definition,
    foreign_kernel,
    lay_project,
    notebook_folder,
    told_to_kernel,
)
from pipeline.kernels.wanted import HostWanted
from pipeline.kernelspecs import PYTHON, FoundKernel
from pipeline.laying import input_path, sdk_context
from pipeline.limits import Granted
from pipeline.magics import plain_python
from pipeline.observation import asked_to_observe
from pipeline.preloading import preload_at
from pipeline.rendering.theme import theme_digest
from pipeline.runner.messages import KernelJob, ReportJob
from pipeline.stages.signature import SEARCH
from pipeline.step import Definition, Step
from pipeline.templates import BUILTIN, Template
from pipeline.workplace import Workplace
from provenance.identity.canonical import digest
from provenance.identity.closure import cells_closure
from provenance.identity.notebook import Cell, execution_cells, prose_digest

if TYPE_CHECKING:
    from pipeline.situation import Situation


def search_of(template: Template) -> tuple[str, ...]:
    """Return the folders that a notebook imports from: its own first, as by hand in Jupyter."""
    own = () if template.path.startswith(BUILTIN) else (template.path.rpartition("/")[0],)
    return tuple(dict.fromkeys((*own, *SEARCH)))


def notebook_definition(
    situation: "Situation", template: Template, wanted: str | None = None
) -> Definition:
    """Return the code cells of *template*, in order, and all that they import.

    *wanted* is the kernel that the manifest names.
    """
    kernel = foreign_kernel(situation, template, wanted)
    if kernel is not None:
        return _with_prose(template, foreign_definition(situation, template, kernel))
    return _with_prose(template, _python_definition(situation, template))


def _with_prose(template: Template, found: Definition) -> Definition:
    """Return the definition with what is shown of the notebook beside results."""
    cells = [Cell(cell.kind, cell.tags, cell.source) for cell in template.cells]
    prose = prose_digest(cells, digest("theme", [template.title, theme_digest()]))
    told = {"template": template.path, "prose": prose, **found.told}
    content = {**found.content, "template": template, "prose": prose}
    return replace(found, told=told, content=content)


def _python_definition(situation: "Situation", template: Template) -> Definition:
    sources = [
        (f"{template.path}#{number}", plain_python(cell.source))
        for number, cell in enumerate(template.cells, start=1)
        if cell.kind == "code"
    ]
    closure = cells_closure(situation.surveyed(), sources, search_of(template))
    cells = [Cell(cell.kind, cell.tags, cell.source) for cell in template.cells]
    start: dict[str, object] = {"cells": execution_cells(cells), "kernel": "python3"}
    keyed, told = closure_code(closure, start)
    return Definition(keyed, told, python_environment(situation.environment, closure, "IPython"))


def notebook_job(
    situation: "Situation", template: Template, step: Step, place: Workplace, allowed: Granted
) -> ReportJob:
    """Lay *template* into the workplace, and return the job of executing it."""
    notebook = place.root / "template.ipynb"
    notebook.write_text(_with_parameters_tag(template), encoding="utf-8")
    kernel: FoundKernel | None = step.definition.content.get("kernel")
    directory = place.current
    if kernel is not None:
        directory = notebook_folder(template, place)
        files, root = step.definition.content["files"], situation.checkout.root
        lay_project(root, files, place.root / PROJECT, directory)
    return ReportJob(
        workplace=str(place.root),
        marker=place.marker,
        venv=str(situation.environment.root),
        notebook=str(notebook),
        parameters=_injected(situation, template, step, place, directory),
        dates=_dates(template),
        context=sdk_context(situation, step, place) | asked_to_observe(situation, step, place),
        search=situation.on_disk(search_of(template)) if kernel is None else (),
        cell_seconds=allowed.cell_seconds,
        limits=allowed.tree(place),
        output=allowed.output,
        directory=str(directory),
        kernel=_kernel_job(situation, kernel, place) if kernel else None,
        host=host_wanted(situation, template) if kernel is None else None,
    )


def host_wanted(situation: "Situation", template: Template | None = None) -> HostWanted | None:
    """Return what a host has to be like that forks kernels for the project; None: none may.

    *template* is the notebook that is to be executed; left out, the report's.
    """
    environment = situation.environment
    is_python = (template or situation.template).language in PYTHON
    if not (is_python and situation.manifest.environment.warm and situation.spec.warm):
        return None
    preload = preload_at(situation.checkout, situation.manifest, environment.facts)
    stamp = environment.facts.digest
    return HostWanted(str(environment.root), stamp, preload, environment=environment.key)


def _kernel_job(situation: "Situation", kernel: FoundKernel, place: Workplace) -> KernelJob:
    venv = situation.environment.root
    variables = told_to_kernel(place)
    argv, mode = tuple(kernel.command(venv)), kernel.interrupt_mode
    return KernelJob(kernel.name, kernel.language, argv, kernel.folder, kernel.env, variables, mode)


def _with_parameters_tag(template: Template) -> str:
    """Return the notebook with its parameters cell tagged, as papermill looks for it.

    Where no cell has the tag, the parameters are the assignments of the first code cell:
    without the tag papermill would inject above it, and the cell would undo that.
    """
    notebook = json.loads(template.notebook_json)
    index = template.parameters_cell
    if index is not None:
        tags = notebook["cells"][index].setdefault("metadata", {}).setdefault("tags", [])
        if "parameters" not in tags:
            tags.append("parameters")
    return json.dumps(notebook)


def _dates(template: Template) -> tuple[str, ...]:
    """Return the parameters that the notebook assigns a ``date(…)``: they stay such."""
    return tuple(p.name for p in template.parameters if isinstance(p.default, date))


def _injected(
    situation: "Situation", template: Template, step: Step, place: Workplace, directory: Path
) -> dict[str, Any]:
    """Return what papermill assigns: parameters, and paths of inputs that the notebook names.

    Paths are given as seen from the working directory, so that two runs of the same thing
    look the same.
    """
    declared = {parameter.name for parameter in template.parameters}
    typed = situation.typed(step.params)
    values = {name: value["value"] for name, value in typed.items() if name in declared}
    check_values(template, values)
    for file in step.inputs:
        if file.name not in declared:
            continue
        path = relpath(input_path(place, file), directory)
        check_input(template, file.name, file.part, path)
        if file.part is None:
            values[file.name] = path
        else:
            values.setdefault(file.name, {})[file.part] = path
    return values
