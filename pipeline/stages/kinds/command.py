"""Command stages: any program, given its inputs and outputs as arguments; no shell between."""

import json
import re
from collections.abc import Iterator, Mapping
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.definition import closure_code, python_environment
from pipeline.laying import input_path, sdk_context
from pipeline.manifest_parts.models import Manifest, StageSpec
from pipeline.nearest import did_you_mean, listed, shown
from pipeline.parameters import to_json_value
from pipeline.repository.tree import Tree
from pipeline.runner.messages import CommandJob
from pipeline.stages.command import PROJECT
from pipeline.stages.kinds.base import Execution, Look, is_file_name
from pipeline.step import Definition
from pipeline.workplace import program_path
from provenance.errors import InvalidInputError
from provenance.identity.closure import Closure
from provenance.identity.commands import command_closure
from provenance.identity.tools import r_packages, tool_facts
from provenance.identity.tracked import TrackedFiles

if TYPE_CHECKING:
    from pipeline.situation import Situation

_PLACEHOLDER = re.compile(r"\{(inputs|outputs|params)\.(\w+)(?:\.(\w+))?\}")
_PYTHON = re.compile(r"python(?:3(?:\.\d+)?)?")
# What may stand inside an argument without meaning anything to the language it is written in.
_HARMLESS = re.compile(r"[\w .,:+@/=-]*")
_SHEBANG = re.compile(r"#!\s*(?:\S*/env\s+(?:-S\s+)?)?(\S+)")


class ArgumentError(InvalidInputError):
    """Raised when a value cannot be put into a command's arguments."""

    code = "argument"


class CommandKind:
    """``command = ["octave-cli", "score.m", "{inputs.features}", "{outputs.scores}"]``."""

    name = "command"

    def params(self, tree: Tree, manifest: Manifest, spec: StageSpec) -> tuple[str, ...]:
        """Return the parameters that its arguments name."""
        del tree, manifest
        found = (name for kind, name, _ in _placeholders(spec) if kind == "params")
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
        for kind, name, _ in _placeholders(look.spec):
            if name not in known[kind]:
                hint = did_you_mean(name, known[kind]) or f"There are: {listed(known[kind])}."
                look.wrong("command", f"{{{kind}.{name}}} stands for nothing.", hint)

    def define(self, situation: "Situation", stage: str, params: Mapping[str, Any]) -> Definition:
        """Return the arguments, the files that they and their scripts name, and the program."""
        del params
        spec, checkout = situation.manifest.stage(stage), situation.checkout
        argv = list(spec.command or ())
        closure = command_closure(checkout.root, checkout.tree.files, argv, spec.files or ())
        start: dict[str, object] = {"argv": argv, "files_of": dict(spec.outputs or {})}
        keyed, told = closure_code(closure, start)
        content = {"files": tuple(file.path for file in closure.files)}
        environment = _environment(situation, argv[0], closure)
        return Definition(keyed, told, environment, content)

    def job(self, execution: Execution) -> CommandJob:
        """Return the program's call, with every placeholder filled in."""
        situation, place, step = execution.situation, execution.place, execution.step
        argv = tuple(_filled(execution, item) for item in execution.spec.command or ())
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
        )


def _placeholders(spec: StageSpec) -> Iterator[tuple[str, str, str | None]]:
    for item in spec.command or ():
        for match in _PLACEHOLDER.finditer(item):
            yield match[1], match[2], match[3]


def _check_outputs(look: Look) -> None:
    outputs = look.spec.outputs
    if not outputs:
        look.wrong("outputs", "a command's outputs have to be named.", 'outputs = { y = "y.csv" }')
    for name, filename in (outputs or {}).items():
        if filename is None or not is_file_name(filename):
            said = "found no file" if filename is None else f"found {shown(filename)}"
            hint = f'{name} = "{name}.csv"'
            look.wrong("outputs", f"{name}: {said}, expected the name of one.", hint)


def _environment(situation: "Situation", program: str, closure: Closure) -> dict[str, object]:
    """Return the program with its version; of Python, the packages that its script can see."""
    if program.removeprefix("./") in situation.checkout.tree.files:
        program = _interpreter(situation, program.removeprefix("./"))
    python = python_environment(situation.environment, closure)
    if _PYTHON.fullmatch(program):
        return python
    path = program_path(situation.environment.root)
    told: dict[str, object] = {"tool": tool_facts(program, path).keyed()}
    if "Rscript" in program:
        wanted = [name.removeprefix("r:") for name in closure.imports if name.startswith("r:")]
        everything = bool(closure.open_sites)
        told["packages"] = r_packages(program, path, wanted, everything=everything)
    if any(file.path.endswith(".py") for file in closure.files):
        told |= python  # a script of another language, or a program such as `env`, starts it
    return {**told, "platform": situation.environment.facts.platform}


def _interpreter(situation: "Situation", script: str) -> str:
    """Return the program that the first line of a script of the project names."""
    first = situation.checkout.tree.read(script)[:200].split(b"\n")[0].decode(errors="replace")
    match = _SHEBANG.match(first)
    return match[1] if match else "sh"


def _filled(execution: Execution, item: str) -> str:
    """Return an argument with its placeholders filled in.

    Paths are given as seen from the directory that the command runs in, so that two runs of
    the same thing look the same to it.
    """
    project = execution.place.root / PROJECT

    def value(match: re.Match[str]) -> str:
        kind, name, part = match.groups()
        if kind == "outputs":
            filename = str((execution.spec.outputs or {})[name])
            (execution.place.outputs / filename).parent.mkdir(parents=True, exist_ok=True)
            return relpath(execution.place.outputs / filename, project)
        if kind == "inputs":
            return relpath(_input(execution, name, part), project)
        text = _text(execution.step.params[name])
        if match[0] != item and not _HARMLESS.fullmatch(text):
            raise ArgumentError(
                f"Parameter {name} is {shown(text)}, which may not stand inside an argument: "
                f"{shown(item)} could be read as something else.",
                f'Give it as an argument of its own: "{{params.{name}}}".',
            )
        return text

    return _PLACEHOLDER.sub(value, item)


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


def _text(value: Any) -> str:
    plain = to_json_value(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
