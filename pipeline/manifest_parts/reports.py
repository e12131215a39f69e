"""Whether a report of a manifest fits its template, and its cases the parameters."""

import graphlib

from pipeline.manifest_parts.data_checks import check_partitions
from pipeline.manifest_parts.models import Manifest, ReportSpec, UnknownStageError
from pipeline.manifest_parts.problems import Path, Problems
from pipeline.parameters import ParameterError, Schema, valid_name
from pipeline.repository.tree import Tree
from pipeline.schema import merged_schema, params_of_stages
from pipeline.stages.signature import SignatureError
from pipeline.templates import Template, TemplateError, read_template


def check_report(
    tree: Tree, manifest: Manifest, name: str, problems: Problems, *, sound: bool
) -> None:
    """Note in *problems* what is wrong with the report *name*, its inputs' stages excepted.

    *sound* tells that all of ``[params]`` could be read; otherwise values are not checked.
    """
    report = manifest.reports[name]
    _check_collisions(manifest, report, name, problems)
    try:
        template = read_template(tree, report.template)
    except TemplateError as error:
        problems.add(("reports", name, "template"), error.message, error.hint)
        return
    own = [item.name for item in template.parameters if item.name not in report.inputs]
    check_partitions(("reports", name), report, [*own, *manifest.params], problems)
    taken = _taken(tree, manifest, name)
    if not sound or taken is None:
        return
    taken += [item for item in report.partition_params if item in manifest.params]
    schema = _schema(manifest, name, template, taken, problems)
    if schema is not None:
        _check_cases(report, name, schema, problems)


def _check_collisions(
    manifest: Manifest, report: ReportSpec, name: str, problems: Problems
) -> None:
    for item in report.inputs:
        if item in manifest.params or item in report.params:
            problems.add(
                ("reports", name, "inputs", item),
                f"{item} is a parameter too; a template has one variable of that name.",
                "Rename one of them.",
            )


def _taken(tree: Tree, manifest: Manifest, name: str) -> list[str] | None:
    """Return the parameters of the stages above; None if those have problems of their own."""
    try:
        taken = params_of_stages(tree, manifest, name)
    except (UnknownStageError, SignatureError, graphlib.CycleError):
        return None
    return taken if all(item in manifest.params and valid_name(item) for item in taken) else None


def _schema(
    manifest: Manifest, name: str, template: Template, taken: list[str], problems: Problems
) -> Schema | None:
    report = manifest.reports[name]
    try:
        return merged_schema(manifest, name, template, taken)
    except ParameterError as error:
        for problem in error.problems:
            place: Path = ("reports", name, "template")
            message = f"{report.template}: {problem.message}"
            if problem.name in report.params:
                place = ("reports", name, "params", problem.name)
                message = problem.message
            problems.add(place, message)
        return None


def _check_cases(report: ReportSpec, name: str, schema: Schema, problems: Problems) -> None:
    for number, case in enumerate(report.cases):
        try:
            schema.check(case)
        except ParameterError as error:
            for problem in error.problems:
                place: Path = ("reports", name, "cases", number)
                problems.add(place, problem.message)
    if report.cases or report.on.push is None:
        return
    try:
        schema.check({})
    except ParameterError as error:
        hint = "Give it a default or the report cases, for a push gives no values."
        for problem in error.problems:
            problems.add(("reports", name), problem.message, hint)
