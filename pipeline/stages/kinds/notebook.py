"""Notebook stages: a notebook of the project, executed for the files that it leaves."""

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.manifest_parts.models import Manifest, StageSpec
from pipeline.notebooks import notebook_definition, notebook_job
from pipeline.repository.tree import Tree
from pipeline.runner.messages import NotebookJob
from pipeline.stages.kinds.base import Execution, Look, is_file_name
from pipeline.step import Definition
from pipeline.templates import Template, TemplateError, read_template
from provenance.nearest import shown

if TYPE_CHECKING:
    from pipeline.situation import Situation


class NotebookKind:
    """``notebook = "clean.ipynb"``: outputs are the files that it writes by ``output()``."""

    name = "notebook"

    def params(self, tree: Tree, manifest: Manifest, spec: StageSpec) -> tuple[str, ...]:
        """Return what its parameters cell assigns that is a parameter of the manifest."""
        template = read_template(tree, str(spec.notebook))
        names = [parameter.name for parameter in template.parameters]
        return tuple(name for name in names if name in manifest.params and name not in spec.inputs)

    def check(self, look: Look) -> None:
        """Note a notebook that is missing or cannot be read, and outputs that are no files."""
        try:
            read_template(look.tree, str(look.spec.notebook))
        except TemplateError as error:
            look.wrong("notebook", error.message, error.hint)
            return
        for name, filename in (look.spec.outputs or {}).items():
            if filename is not None and not is_file_name(filename):
                look.wrong(("outputs", name), f"{shown(filename)} is not the name of a file.")

    def define(self, situation: "Situation", stage: str) -> Definition:
        """Return the notebook's code cells and what they import."""
        spec = situation.manifest.stage(stage)
        template = read_template(situation.checkout.tree, str(spec.notebook))
        found = notebook_definition(situation, template, spec.kernel)
        keyed = {**found.keyed, "outputs": dict(spec.outputs or {})}
        return replace(found, keyed=keyed)

    def job(self, execution: Execution) -> NotebookJob:
        """Return the notebook's execution."""
        template: Template = execution.step.definition.content["template"]
        situation, step, place = execution.situation, execution.step, execution.place
        report = notebook_job(situation, template, step, place, execution.granted)
        report.context["kind"] = "stage"
        report = replace(report, isolation=execution.isolation)
        return NotebookJob(report, dict(execution.spec.outputs or {}))
