"""Python stages: a function of the project, called in the project's environment."""

from typing import TYPE_CHECKING

from pipeline.definition import closure_code, python_environment
from pipeline.laying import sdk_context
from pipeline.manifest_parts.models import Manifest, StageSpec
from pipeline.observation import asked_to_observe
from pipeline.repository.tree import Tree
from pipeline.runner.messages import StageJob
from pipeline.stages.kinds.base import Execution, Look
from pipeline.stages.signature import (
    SEARCH,
    SignatureError,
    module_path,
    read_signature,
    split_entry,
)
from pipeline.step import Definition
from provenance.identity.closure import module_closure
from provenance.nearest import did_you_mean, listed

if TYPE_CHECKING:
    from pipeline.situation import Situation


class PythonKind:
    """``python = "module:function"``: inputs and parameters arrive as its arguments."""

    name = "python"

    def params(self, tree: Tree, manifest: Manifest, spec: StageSpec) -> tuple[str, ...]:
        """Return the arguments that are parameters of the manifest."""
        names = read_signature(tree, str(spec.python)).names
        return tuple(name for name in names if name in manifest.params and name not in spec.inputs)

    def check(self, look: Look) -> None:
        """Note a function that is missing, or takes what the stage does not have."""
        if any((look.spec.outputs or {}).values()):
            hint = "List the names: what the function returns gives the files."
            look.wrong("outputs", "found names with files, expected names only.", hint)
        try:
            signature = read_signature(look.tree, str(look.spec.python))
        except SignatureError as error:
            look.wrong("python", error.message, error.hint)
            return
        given = [*look.spec.inputs, *look.params]
        for argument in signature.arguments:
            if argument.required and argument.name not in given:
                near = did_you_mean(argument.name, given)
                look.wrong(
                    "python",
                    f"{signature.function}() in {signature.path}, line {signature.line}, takes "
                    f"{argument.name}, which is neither an input of this stage "
                    f"({listed(look.spec.inputs)}) nor a parameter ({listed(look.params)}).",
                    near or f"Add it to inputs, or declare [params.{argument.name}].",
                )

    def define(self, situation: "Situation", stage: str) -> Definition:
        """Return the closure of the function's module."""
        entry = str(situation.manifest.stage(stage).python)
        path = module_path(situation.checkout.tree, split_entry(entry)[0])
        closure = module_closure(situation.surveyed(), path, SEARCH)
        keyed, told = closure_code(closure, {"entry": entry})
        return Definition(keyed, told, python_environment(situation.environment, closure))

    def job(self, execution: Execution) -> StageJob:
        """Return the call of the function in a child process."""
        situation, place = execution.situation, execution.place
        module, function = split_entry(str(execution.spec.python))
        search = list(situation.on_disk(SEARCH))
        entry = {"search": search, "module": module, "function": function}
        context = sdk_context(situation, execution.step, place)
        context |= {"kind": "stage", "entry": entry}
        context |= asked_to_observe(situation, execution.step, place)
        venv, allowed = str(situation.environment.root), execution.granted
        limits, output = allowed.tree(place), allowed.output
        where, mark, apart = str(place.root), place.marker, execution.isolation
        return StageJob(where, mark, venv, context, apart, limits, output)
