"""Whether the parts of a manifest fit each other and the files of the project."""

import fnmatch
import graphlib
import re
from collections.abc import Iterable

from pipeline.environment_locks import advice
from pipeline.manifest_parts.data import DataInput
from pipeline.manifest_parts.data_checks import check_data_input
from pipeline.manifest_parts.models import RESERVED, Manifest, Section, split_reference, stages_of
from pipeline.manifest_parts.problems import Path, Problems
from pipeline.manifest_parts.reports import check_report
from pipeline.manifest_parts.sources import check_source
from pipeline.manifest_parts.stages import check_stage
from pipeline.parameters import ParameterError, valid_name
from pipeline.repository.tree import Tree
from pipeline.schema import shared_parameter
from pipeline.stages.kinds.base import Look
from provenance.nearest import did_you_mean, listed, shown

Broken = frozenset[tuple[Section, str]]

REQUIREMENTS = ("requirements*.txt", "pyproject.toml", "uv.lock")

_PROJECT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Our own settings hold secrets that are nobody's source.
_OURS = "PROVENOTE_"


def check_manifest(tree: Tree, manifest: Manifest, broken: Broken, problems: Problems) -> None:
    """Note in *problems* all that does not fit.

    *broken* are the parts that are declared but could not be read: they count as known, so
    that one mistake is told once.
    """
    if manifest.name and not _PROJECT_NAME.fullmatch(manifest.name):
        problems.add(
            ("project", "name"),
            f"found {shown(manifest.name)}, expected small letters, digits, - and _, "
            "beginning with a letter or digit.",
        )
    _check_names(manifest, broken, problems)
    _check_environment(tree, manifest, problems)
    _check_sources(manifest, problems)
    sound = _check_params(manifest, problems) and not any(kind == "params" for kind, _ in broken)
    known = _known(manifest, broken)
    for name in manifest.stages:
        check_stage(Look(tree, manifest, name, known, problems))
        _check_inputs(manifest, ("stages", name), known["stages"], problems)
    _check_cycles(manifest, problems)
    for name in manifest.reports:
        _check_inputs(manifest, ("reports", name), known["stages"], problems)
        check_report(tree, manifest, name, problems, sound=sound)


def _known(manifest: Manifest, broken: Broken) -> dict[Section, tuple[str, ...]]:
    declared: dict[Section, Iterable[str]] = {
        "sources": manifest.sources,
        "params": manifest.params,
        "stages": manifest.stages,
        "reports": manifest.reports,
    }
    return {
        section: (*names, *(name for kind, name in broken if kind == section))
        for section, names in declared.items()
    }


def _check_names(manifest: Manifest, broken: Broken, problems: Problems) -> None:
    for section, names in _known(manifest, broken).items():
        for name in names:
            _check_name((section, name), name, problems)
    for name, stage in manifest.stages.items():
        if name == RESERVED:
            problems.add(
                ("stages", name), f"a stage cannot be called {name}: the report itself is."
            )
        for key, given in (("inputs", [*stage.inputs]), ("outputs", [*(stage.outputs or ())])):
            for item in given:
                _check_name(("stages", name, key, item), item, problems)
            if len(set(given)) < len(given):
                problems.add(("stages", name, key), "a name stands here twice.")
    for name, report in manifest.reports.items():
        for item in report.inputs:
            _check_name(("reports", name, "inputs", item), item, problems)


def _check_name(path: Path, name: str, problems: Problems) -> None:
    if not valid_name(name):
        problems.add(
            path,
            f"{shown(name)} cannot be a name: expected letters, digits and _, not beginning with "
            "a digit or __, and no word of the Python language.",
        )


def _check_environment(tree: Tree, manifest: Manifest, problems: Problems) -> None:
    for module in manifest.environment.preload or ():
        if not all(part.isidentifier() for part in module.split(".")):
            problems.add(("environment", "preload"), f"{shown(module)} is not a module's name.")
    path = manifest.environment.from_
    if path is None:
        return
    usable = sorted(item for item in tree.files if _holds_requirements(item))
    if not _holds_requirements(path):
        message = f"found {shown(path)}, expected {', '.join(REQUIREMENTS)}."
    elif path not in tree.files:
        message = f"{path} is not in the project."
    else:
        return
    hint = advice(path) or did_you_mean(path, usable) or f"The project has: {listed(usable)}."
    problems.add(("environment", "from"), message, hint)


def _holds_requirements(path: str) -> bool:
    name = path.rpartition("/")[2]
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in REQUIREMENTS)


def _check_sources(manifest: Manifest, problems: Problems) -> None:
    for name, source in manifest.sources.items():
        path = ("sources", name, "url_env")
        if not _VARIABLE.fullmatch(source.url_env):
            # What stands here instead may be the address with its password: it is not repeated.
            problems.add(
                path,
                "expected the name of an environment variable like REPLICA_URL.",
                "The address itself is the operator's and stays out of the repository.",
            )
        elif source.url_env.startswith(_OURS):
            problems.add(path, f"{_OURS}… are settings of provenote, not addresses of sources.")
        check_source(name, source, problems)


def _check_params(manifest: Manifest, problems: Problems) -> bool:
    before = len(problems.found)
    for name, spec in manifest.params.items():
        if spec.type is None and spec.default is None and not spec.choices:
            problems.add(("params", name), "neither type nor default tells what it is.")
            continue
        if not valid_name(name):
            continue
        try:
            shared_parameter(name, spec)
        except ParameterError as error:
            for item in error.problems:
                problems.add(("params", name), item.message.removeprefix(f"{name}: "))
    return len(problems.found) == before


def _check_inputs(
    manifest: Manifest, path: Path, known: tuple[str, ...], problems: Problems
) -> None:
    section, name = path
    owner = manifest.stages if section == "stages" else manifest.reports
    for item, reference in owner[str(name)].inputs.items():
        place = (*path, "inputs", item)
        if isinstance(reference, DataInput):
            check_data_input(place, reference, problems)
            continue
        stage, output = split_reference(reference)
        outputs = manifest.stages[stage].outputs if stage in manifest.stages else None
        if stage not in known:
            hint = did_you_mean(stage, known) or f"The stages: {listed(known)}."
            problems.add(place, f"no stage {shown(stage)}.", hint)
        elif output is not None and outputs is not None and output not in outputs:
            hint = did_you_mean(output, outputs) or f"Its outputs: {listed(outputs)}."
            problems.add(place, f"stage {stage} has no output {shown(output)}.", hint)
        elif output is not None and not valid_name(output):
            problems.add(place, f"found {shown(reference)}, expected stage or stage.output.")


def _check_cycles(manifest: Manifest, problems: Problems) -> None:
    graph = {
        name: [item for item in stages_of(spec.inputs.values()) if item in manifest.stages]
        for name, spec in manifest.stages.items()
    }
    while True:
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            cycle: list[str] = error.args[1]
            problems.add(
                ("stages", cycle[0], "inputs"), f"stages feed themselves: {' → '.join(cycle)}."
            )
            # Cut it here, to see whether there are others.
            graph[cycle[1]] = [item for item in graph[cycle[1]] if item != cycle[0]]
            continue
        return
