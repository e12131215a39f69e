"""Which parameters a report has: its template's and those of the stages that it stands on."""

from dataclasses import fields, replace

from pipeline.manifest_parts.models import Manifest, ParameterSpec
from pipeline.parameters import (
    Parameter,
    ParameterError,
    ParameterProblem,
    Schema,
    normalised,
    undeclared,
)
from pipeline.repository.tree import Tree
from pipeline.stages.kinds import kinds_named
from pipeline.template_parameters import TemplateParameter, overlaid
from pipeline.templates import Template, read_template


def report_schema(tree: Tree, manifest: Manifest, report: str) -> Schema:
    """Return the parameters of *report*: the template's in their order, then the stages'.

    What ``[params]`` says goes over what the template says, and the report's own ``params``
    over both. Raises UnknownReportError, TemplateError, SignatureError, and ParameterError
    when a declaration contradicts itself.
    """
    spec = manifest.report(report)
    template = read_template(tree, spec.template)
    taken = [*params_of_stages(tree, manifest, report), *spec.partition_params]
    return merged_schema(manifest, report, template, taken)


def params_of_stages(tree: Tree, manifest: Manifest, report: str) -> list[str]:
    """Return the parameters that the stages of *report* need: for themselves, or for partitions."""
    return [
        name
        for stage in manifest.upstream(report)
        for name in (
            *stage_params(tree, manifest, stage),
            *manifest.stage(stage).partition_params,
        )
    ]


def stage_params(tree: Tree, manifest: Manifest, stage: str) -> tuple[str, ...]:
    """Return the names of the parameters that *stage* takes, in order.

    They are what ``params`` lists; left out, what its code names: the arguments of a Python
    stage, the binds of an SQL stage, … Raises UnknownStageError, SignatureError, TemplateError.
    """
    spec = manifest.stage(stage)
    if spec.params is not None:
        return spec.params
    # While a manifest is looked over, a stage may still be of no kind, or of several.
    kinds = kinds_named(spec)
    return kinds[0].params(tree, manifest, spec) if kinds else ()


def merged_schema(manifest: Manifest, report: str, template: Template, taken: list[str]) -> Schema:
    """Return the schema of *report*, with *taken* the parameters of its stages.

    Raises ParameterError with everything that contradicts itself.
    """
    spec = manifest.report(report)
    own = {item.name: item for item in template.parameters if item.name not in spec.inputs}
    problems: list[ParameterProblem] = []
    merged: list[Parameter] = []
    for name in dict.fromkeys([*own, *taken]):
        try:
            merged.append(_merged(name, own.get(name), manifest, spec.params))
        except ParameterError as error:
            problems += error.problems
    known = tuple(dict.fromkeys([*own, *taken]))
    problems += [
        ParameterProblem(name, undeclared(name, known)) for name in spec.params if name not in known
    ]
    if problems:
        raise ParameterError(problems)
    return Schema(tuple(merged))


def shared_parameter(name: str, spec: ParameterSpec) -> Parameter:
    """Return the parameter that ``[params.NAME]`` declares; raise ParameterError if it is none."""
    return normalised(_plain(overlaid(None, name, spec)))


def _merged(
    name: str, own: TemplateParameter | None, manifest: Manifest, overrides: dict[str, object]
) -> Parameter:
    parameter = own
    if name in manifest.params:
        parameter = overlaid(parameter, name, manifest.params[name])
    if parameter is None:
        message = f"{name} is taken by a stage but is not declared: add [params.{name}]."
        raise ParameterError([ParameterProblem(name, message)])
    if name in overrides:
        parameter = replace(parameter, default=overrides[name], required=False)
    return normalised(_plain(parameter))


def _plain(parameter: TemplateParameter) -> Parameter:
    return Parameter(**{item.name: getattr(parameter, item.name) for item in fields(Parameter)})
