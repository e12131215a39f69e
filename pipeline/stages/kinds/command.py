"""Command stages: any program, given its inputs and outputs as arguments; no shell between."""

import json
from functools import partial
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.definition import closure_code
from pipeline.laying import input_path, sdk_context
from pipeline.manifest_parts.models import Manifest, StageSpec
from pipeline.parameters import to_json_value
from pipeline.repository.tree import Tree
from pipeline.runner.messages import CommandJob
from pipeline.stages.arguments import ArgumentError, Call, Filling, fill, placeholders
from pipeline.stages.command import PROJECT
from pipeline.stages.kinds.base import Execution, Look, is_file_name
from pipeline.stages.programs import command_environment
from pipeline.step import Definition
from provenance.identity.commands import command_closure
from provenance.identity.tracked import TrackedFiles
from provenance.nearest import did_you_mean, listed, shown

if TYPE_CHECKING:
    from pipeline.situation import Situation


class CommandKind:
    """``command = ["octave-cli", "score.m", "{inputs.features}", "{outputs.scores}"]``."""

    name = "command"

    def params(self, tree: Tree, manifest: Manifest, spec: StageSpec) -> tuple[str, ...]:
        """Return the parameters that its arguments name."""
        del tree, manifest
        found = (name for kind, name, _ in placeholders(spec.command or ()) if kind == "params")
        return tuple(dict.fromkeys(found))

    def check(self, look: Look) -> None:
        """Note placeholders that stand for nothing, and outputs without a file."""
        _check_outputs(look)
        for pattern in look.spec.files or ():
            if not TrackedFiles(look.tree.files).at(pattern):
                near = did_you_mean(pattern, sorted(look.tree.files))
                look.wrong("files", f"{shown(pattern)} names no file of the project.", near)
        if not look.spec.command or not look.spec.command[0].strip():
            hint = 'Such as ["Rscript", "score.R", "{inputs.x}", "{outputs.y}"].'
            look.wrong("command", "found no program, expected a list of arguments.", hint)
            return
        known: dict[str, Any] = {
            "inputs": look.spec.inputs,
            "outputs": look.spec.outputs or {},
            "params": look.params,
        }
        for kind, name, _ in placeholders(look.spec.command):
            if name not in known[kind]:
                hint = did_you_mean(name, known[kind]) or f"There are: {listed(known[kind])}."
                look.wrong("command", f"{{{kind}.{name}}} stands for nothing.", hint)

    def define(self, situation: "Situation", stage: str) -> Definition:
        """Return the arguments, the files that they and their scripts name, and the program."""
        spec, checkout = situation.manifest.stage(stage), situation.checkout
        argv = list(spec.command or ())
        closure = command_closure(checkout.root, checkout.tree.files, argv, spec.files or ())
        start: dict[str, object] = {"argv": argv, "files_of": dict(spec.outputs or {})}
        keyed, told = closure_code(closure, start)
        content = {"files": tuple(file.path for file in closure.files)}
        environment = command_environment(situation, argv[0], closure)
        return Definition(keyed, told, environment, content)

    def job(self, execution: Execution) -> CommandJob:
        """Return the program's call, with every placeholder filled in."""
        situation, place, step = execution.situation, execution.place, execution.step
        call = Call(step.name, execution.spec.command or ())
        argv = fill(call, partial(_filling, execution))
        outputs = {name: str(file) for name, file in (execution.spec.outputs or {}).items()}
        return CommandJob(
            workplace=str(place.root),
            marker=place.marker,
            venv=str(situation.environment.root),
            argv=argv,
            root=str(situation.checkout.root),
            files=step.definition.content["files"],
            outputs=outputs,
            context=sdk_context(situation, step, place) | {"kind": "stage"},
            isolation=execution.isolation,
            limits=execution.granted.tree(place),
            output=execution.granted.output,
        )


def _check_outputs(look: Look) -> None:
    outputs = look.spec.outputs
    if not outputs:
        look.wrong("outputs", "a command's outputs have to be named.", 'outputs = { y = "y.csv" }')
    for name, filename in (outputs or {}).items():
        if filename is None or not is_file_name(filename):
            said = "found no file" if filename is None else f"found {shown(filename)}"
            hint = f'{name} = "{name}.csv"'
            look.wrong("outputs", f"{name}: {said}, expected the name of one.", hint)


def _filling(execution: Execution, kind: str, name: str, part: str | None) -> Filling:
    """Return what stands for a placeholder.

    Paths are given as seen from the directory that the command runs in, so that two runs of
    the same thing look the same to it.
    """
    project = execution.place.root / PROJECT
    if kind == "outputs":
        path = execution.place.outputs / str((execution.spec.outputs or {})[name])
        path.parent.mkdir(parents=True, exist_ok=True)
        return Filling(relpath(path, project))
    if kind == "inputs":
        return Filling(relpath(_input(execution, name, part), project))
    plain = to_json_value(execution.step.params[name])
    declared = execution.situation.schema.by_name.get(name)
    if declared is not None and declared.choices is not None and declared.type != "list":
        return Filling(_text(plain))
    # Lists and tables are texts as well: anything may stand in them.
    is_number = plain is None or isinstance(plain, int | float)
    return Filling(_text(plain), "number" if is_number else "text")


def _input(execution: Execution, name: str, part: str | None) -> Path:
    files = [file for file in execution.step.inputs if file.name == name]
    for file in files:
        if file.part == part or (part is None and len(files) == 1):
            return input_path(execution.place, file)
    parts = [str(file.part) for file in files]
    raise ArgumentError(
        f"Input {name} has {len(files)} files: {listed(parts)}.",
        f'Name one of them: "{{inputs.{name}.{parts[0]}}}".',
    )


def _text(plain: object) -> str:
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
