"""What ``provenote.toml`` may say, as frozen values."""

import graphlib
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictStr

from pipeline.manifest_parts.data import DataInput, Input, Publications, all_placeholders
from pipeline.manifest_parts.limits import LimitsSpec, Seconds
from pipeline.manifest_parts.spec import Spec, kind_of, wrong
from pipeline.parameter_values import ALIASES, TYPES, Type, type_named
from provenance.errors import NotFoundError
from provenance.nearest import did_you_mean, did_you_mean_or_all, shown

PUSH = "push"
RESERVED = "report"
"""Names the report itself among the jobs of a run, and so no stage."""


class UnknownReportError(NotFoundError):
    """Raised when a report is named that the manifest does not have."""

    code = "unknown_report"


class UnknownStageError(NotFoundError):
    """Raised when a stage is named that the manifest does not have."""

    code = "unknown_stage"


def _type(found: object) -> object:
    if isinstance(found, str) and (known := type_named(found)) is not None:
        return known
    near = did_you_mean(found, [*TYPES, *ALIASES]) if isinstance(found, str) else ""
    raise wrong(f"found {shown(found)}, expected one of: {', '.join(TYPES)}", near)


def _trigger(name: object) -> str:
    if name == PUSH:
        return PUSH
    if name in ("schedule", "schedules", "cron"):
        raise wrong(
            f"found {shown(name)}: schedules are not part of this version of provenote",
            'There is "push" only; left out, the report runs on demand.',
        )
    raise wrong(f'found {shown(name)}, expected "push", the only one there is')


def _triggers(found: object) -> object:
    """Bring the short form ``["push"]`` to the long one ``{ push = {} }``."""
    if isinstance(found, OnSpec):
        return found
    if isinstance(found, list):
        return {_trigger(name): {} for name in found}
    if isinstance(found, dict):
        return {_trigger(name): {} if value is True else value for name, value in found.items()}
    raise wrong(f'found {shown(found)}, expected a list like ["push"] or a table')


def _not_a_list(found: object) -> object:
    if not isinstance(found, list | tuple):
        raise wrong(f"found {shown(found)} ({kind_of(found)}), expected a list of texts")
    return found


def _named(found: object) -> object:
    """Bring the short form of outputs, names only, to the long one with a file for each."""
    if isinstance(found, list | tuple):
        if others := [name for name in found if not isinstance(name, str)]:
            raise wrong(f"found {shown(others[0])} ({kind_of(others[0])}), expected a name")
        if len(set(found)) < len(found):
            raise wrong("a name stands here twice")
        return dict.fromkeys(found) or None
    if isinstance(found, dict):
        return found
    raise wrong(f"found {shown(found)} ({kind_of(found)}), expected names, or names with files")


def _kernel(name: str) -> str:
    if not re.fullmatch(r"[\w.-]+", name, re.ASCII):
        raise wrong(f"found {shown(name)}, expected the name of a kernelspec such as 'ir'")
    return name


Kernel = Annotated[StrictStr, AfterValidator(_kernel)]
Texts = Annotated[tuple[StrictStr, ...], BeforeValidator(_not_a_list)]


class EnvironmentSpec(Spec):
    """``[environment]``: where templates and stages find their packages.

    ``from_`` (written ``from``) is the path of a file with requirements; None is the default
    environment. ``preload`` are modules that waiting kernels import; None: what templates use.
    ``warm`` False: kernels are started afresh for each run.
    """

    from_: StrictStr | None = Field(default=None, alias="from")
    preload: Texts | None = None
    warm: StrictBool = True


class SourceSpec(Spec):
    """``[sources.NAME]``: the environment variable of the operator that holds its address.

    ``timezone`` is where its days begin and end, ``freshness`` a query that gives the day or
    instant up to which its data is complete (None: what the database says of its replay).
    """

    url_env: StrictStr
    timezone: StrictStr = "UTC"
    freshness: StrictStr | None = None


class ParameterSpec(Spec):
    """``[params.NAME]``; what is left out is taken from the template, or from the default."""

    type: Annotated[Type, BeforeValidator(_type)] | None = None
    default: Any = None
    choices: tuple[Any, ...] | None = None
    minimum: Any = Field(default=None, alias="min")
    maximum: Any = Field(default=None, alias="max")
    label: StrictStr | None = None
    help: StrictStr | None = None
    unit: StrictStr | None = None


class StageSpec(Spec):
    """``[stages.NAME]``: a function, a query and its source, a command, or a notebook.

    ``inputs`` maps its own names to "stage" or "stage.output", to a partition of a dataset or
    to a model; ``params`` are the parameters it takes (None: what its code names); ``outputs``
    maps names to files, or to None where the code itself says; ``files`` are patterns of files
    that a command reads besides those that can be seen in it; ``kernel`` is the kernelspec that
    executes a notebook (None: the notebook's own); ``publish`` tells which outputs
    become batches of datasets; ``covers`` names the parameter whose day its source must have
    completely; ``timeout`` is in seconds; ``limits`` go over those of the project.
    """

    python: StrictStr | None = None
    sql: StrictStr | None = None
    command: Texts | None = None
    notebook: StrictStr | None = None
    source: StrictStr | None = None
    covers: StrictStr | None = None
    files: Texts | None = None
    kernel: Kernel | None = None
    inputs: dict[str, Input] = Field(default_factory=dict)
    params: Texts | None = None
    outputs: Annotated[dict[str, StrictStr | None] | None, BeforeValidator(_named)] = None
    publish: Publications = ()
    timeout: Seconds = None
    limits: LimitsSpec = LimitsSpec()

    @property
    def partition_params(self) -> tuple[str, ...]:
        """The parameters that the partitions it reads and publishes are named by."""
        return all_placeholders(self.inputs.values(), self.publish)


OF_ONE_KIND = {
    "source": ("sql",),
    "covers": ("sql",),
    "files": ("command",),
    "kernel": ("notebook",),
}
"""Keys of stages that only some kinds have."""


class PushSpec(Spec):
    """Which pushes evaluate a report: patterns of branches and of changed paths; () is all."""

    branches: Texts = ()
    paths: Texts = ()


class OnSpec(Spec):
    """``on``: what evaluates a report by itself; nothing set: only on demand."""

    push: PushSpec | None = None


class ReportSpec(Spec):
    """``[reports.NAME]``: a template, what it reads, and the cases that it is run on.

    ``params`` are defaults of this report alone. No cases: one run with the defaults. ``warm``
    False: its kernel is started afresh, not forked from one that has its packages imported.
    ``kernel`` is the kernelspec that executes the template (None: the one that it names).
    """

    title: StrictStr | None = None
    template: StrictStr
    kernel: Kernel | None = None
    inputs: dict[str, Input] = Field(default_factory=dict)
    params: dict[str, Any] = Field(default_factory=dict)
    cases: tuple[dict[str, Any], ...] = ()
    on: Annotated[OnSpec, BeforeValidator(_triggers)] = OnSpec()
    timeout: Seconds = None
    warm: StrictBool = True
    limits: LimitsSpec = LimitsSpec()

    @property
    def partition_params(self) -> tuple[str, ...]:
        """The parameters that the partitions it reads are named by."""
        return all_placeholders(self.inputs.values())


class ProjectSpec(Spec):
    """``[project]``."""

    name: StrictStr


class Manifest(Spec):
    """Everything that a project declares."""

    name: str
    environment: EnvironmentSpec = EnvironmentSpec()
    limits: LimitsSpec = LimitsSpec()
    sources: dict[str, SourceSpec] = Field(default_factory=dict)
    params: dict[str, ParameterSpec] = Field(default_factory=dict)
    stages: dict[str, StageSpec] = Field(default_factory=dict)
    reports: dict[str, ReportSpec] = Field(default_factory=dict)

    def report(self, name: str) -> ReportSpec:
        """Return the report called *name*; raise UnknownReportError that names the nearest."""
        if name not in self.reports:
            hint = did_you_mean_or_all(name, self.reports)
            raise UnknownReportError(f"{self.name} has no report {shown(name)}.", hint)
        return self.reports[name]

    def stage(self, name: str) -> StageSpec:
        """Return the stage called *name*; raise UnknownStageError that names the nearest."""
        if name not in self.stages:
            hint = did_you_mean(name, self.stages)
            raise UnknownStageError(f"{self.name} has no stage {shown(name)}.", hint)
        return self.stages[name]

    def upstream(self, report: str) -> tuple[str, ...]:
        """Return the stages that *report* needs, each after those that it reads from.

        Raises UnknownReportError, and UnknownStageError for an input that no stage makes.
        """
        sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
        wanted = list(stages_of(self.report(report).inputs.values()))
        seen: set[str] = set()
        while wanted:
            name = wanted.pop()
            if name in seen:
                continue
            seen.add(name)
            needs = stages_of(self.stage(name).inputs.values())
            sorter.add(name, *needs)
            wanted.extend(needs)
        return tuple(sorter.static_order())


def split_reference(reference: str) -> tuple[str, str | None]:
    """Return stage and output of "stage.output"; the output is None where none is named."""
    stage, dot, output = reference.partition(".")
    return stage, output if dot else None


def stages_of(references: Iterable[str | DataInput]) -> tuple[str, ...]:
    """Return the stages that *references* name, each once, in order."""
    stages = (split_reference(one)[0] for one in references if isinstance(one, str))
    return tuple(dict.fromkeys(stages))


Section = Literal["sources", "params", "stages", "reports"]
SECTIONS: dict[Section, type[Spec]] = {
    "sources": SourceSpec,
    "params": ParameterSpec,
    "stages": StageSpec,
    "reports": ReportSpec,
}
