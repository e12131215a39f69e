"""Whether a stage of a manifest fits the code or the query that it names."""

from collections.abc import Mapping, Sequence

from pipeline.manifest_parts.models import Manifest, Section, StageSpec
from pipeline.manifest_parts.problems import Problems
from pipeline.nearest import did_you_mean, listed, shown
from pipeline.repository.tree import Tree
from pipeline.schema import read_sql
from pipeline.stages.signature import SignatureError, read_signature, sql_binds

Known = Mapping[Section, Sequence[str]]


def check_stage(
    tree: Tree, manifest: Manifest, name: str, known: Known, problems: Problems
) -> None:
    """Note in *problems* what is wrong with the stage *name*, its inputs' stages excepted."""
    stage, place = manifest.stages[name], ("stages", name)
    if (stage.python is None) == (stage.sql is None):
        found = "neither" if stage.python is None else "both"
        problems.add(place, f"found {found} of python and sql, expected one of them.")
        return
    _check_params(stage, name, known, problems)
    if stage.python is not None:
        if stage.source is not None:
            problems.add((*place, "source"), "only an SQL stage has a source.")
        _check_python(tree, stage, name, known, problems)
    else:
        _check_source(stage, name, known, problems)
        _check_sql(tree, stage, name, known, problems)


def _check_params(stage: StageSpec, name: str, known: Known, problems: Problems) -> None:
    place = ("stages", name, "params")
    for item in stage.params or ():
        if item not in known["params"]:
            hint = did_you_mean(item, known["params"]) or f"Declare it: [params.{item}]."
            problems.add(place, f"no parameter {shown(item)} is declared.", hint)
        if item in stage.inputs:
            problems.add(place, f"{item} is an input of this stage too; rename one of them.")


def _check_python(
    tree: Tree, stage: StageSpec, name: str, known: Known, problems: Problems
) -> None:
    place = ("stages", name, "python")
    try:
        signature = read_signature(tree, stage.python or "")
    except SignatureError as error:
        problems.add(place, error.message, error.hint)
        return
    params = known["params"] if stage.params is None else stage.params
    given = [*stage.inputs, *params]
    for argument in signature.arguments:
        if argument.required and argument.name not in given:
            near = did_you_mean(argument.name, given)
            problems.add(
                place,
                f"{signature.function}() in {signature.path}, line {signature.line}, takes "
                f"{argument.name}, which is neither an input of this stage ({listed(stage.inputs)})"
                f" nor a parameter ({listed(params)}).",
                near or f"Add it to inputs, or declare [params.{argument.name}].",
            )


def _check_source(stage: StageSpec, name: str, known: Known, problems: Problems) -> None:
    place = ("stages", name)
    if stage.source is None:
        hint = f"The sources: {listed(known['sources'])}."
        problems.add((*place, "source"), "an SQL stage needs a source.", hint)
    elif stage.source not in known["sources"]:
        hint = did_you_mean(stage.source, known["sources"])
        hint = hint or f"The sources: {listed(known['sources'])}."
        problems.add((*place, "source"), f"no source {shown(stage.source)}.", hint)
    if stage.inputs:
        problems.add((*place, "inputs"), "an SQL stage reads from its source; it has no inputs.")
    if stage.outputs is not None:
        problems.add((*place, "outputs"), "an SQL stage has one output, the rows it reads.")


def _check_sql(tree: Tree, stage: StageSpec, name: str, known: Known, problems: Problems) -> None:
    place, path = ("stages", name, "sql"), stage.sql or ""
    if path not in tree.files:
        queries = sorted(item for item in tree.files if item.endswith(".sql"))
        problems.add(place, f"{shown(path)} is not in the project.", did_you_mean(path, queries))
        return
    try:
        binds = sql_binds(read_sql(tree, path))
    except SignatureError as error:
        problems.add(place, error.message, error.hint)
        return
    params = known["params"] if stage.params is None else stage.params
    for bind in binds:
        if bind not in params:
            hint = did_you_mean(bind, params) or f"Declare it: [params.{bind}]."
            problems.add(
                place, f"{path} binds :{bind}, but the parameters are: {listed(params)}.", hint
            )
    for item in stage.params or ():
        if item not in binds and item in known["params"]:
            hint = did_you_mean(item, binds) or f"Its binds: {listed(binds)}."
            problems.add(("stages", name, "params"), f"{path} does not bind :{item}.", hint)
