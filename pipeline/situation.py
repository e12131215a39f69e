"""What is settled about a run before anything of it is executed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from pipeline.environments import Environment
from pipeline.installed import installed_after
from pipeline.manifest_parts.models import Manifest, ReportSpec
from pipeline.parameter_values import convert
from pipeline.parameters import Schema, to_json_value
from pipeline.repository.checkout import Checkout
from pipeline.schema import report_schema, stage_params
from pipeline.step import InputFile
from pipeline.templates import Template, read_template
from provenance.identity.survey import Survey


@dataclass(frozen=True)
class Situation:
    """One report of one commit with one set of parameters, in one environment."""

    checkout: Checkout
    manifest: Manifest
    environment: Environment
    report: str
    template: Template
    schema: Schema
    params: Mapping[str, Any]
    """Every parameter of the report, as a value of its type."""
    origins: Mapping[str, str]
    """Who chose each value: given, case, or default."""
    checkouts: Path
    """The folder of all projects' checkouts: users' code, which is executed in stages only."""
    data: Mapping[tuple[str, str], tuple[InputFile, ...]] = field(default_factory=dict)
    """Batches by job and the job's name for the input, all read at one moment."""
    as_of: datetime | None = None
    """The moment whose batches these are; None: those that were current at ``read_at``."""
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    survey: Survey | None = None
    """One look at the checkout for all jobs; None: each job looks afresh, as what has been
    executed meanwhile may have changed it."""

    def surveyed(self) -> Survey:
        """Return the checkout's files as they are now, or as they were when all was looked at."""
        return self.survey or Survey(self.checkout.root, self.checkout.tree.files)

    def as_now(self) -> "Situation":
        """Return the same, with what its environment has installed after something was executed."""
        facts = installed_after(self.environment.root)
        return replace(self, environment=replace(self.environment, facts=facts), survey=None)

    @property
    def spec(self) -> ReportSpec:
        """What the manifest says of the report."""
        return self.manifest.report(self.report)

    def on_disk(self, search: tuple[str, ...]) -> tuple[str, ...]:
        """Return the folders of *search* as paths on this machine, where they exist."""
        folders = (self.checkout.root / folder for folder in search)
        return tuple(str(folder) for folder in folders if folder.is_dir())

    def stage_params(self, stage: str) -> dict[str, Any]:
        """Return the parameters that *stage* takes, with their values."""
        names = stage_params(self.checkout.tree, self.manifest, stage)
        return {name: self.params[name] for name in names}

    def template_params(self) -> dict[str, Any]:
        """Return the parameters that the template declares, with their values."""
        declared = {parameter.name for parameter in self.template.parameters}
        return {name: value for name, value in self.params.items() if name in declared}

    def typed(self, params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return *params* in JSON form, each with the name of its type."""
        types = self.schema.by_name
        return {
            name: {"type": types[name].type, "value": to_json_value(value)}
            for name, value in params.items()
        }


_ANY_DAY = date(2000, 1, 1)


class Case(Protocol):
    """A report with one set of parameters, resolved and in JSON form."""

    @property
    def report(self) -> str:
        """Its name in the manifest."""
        ...

    @property
    def params(self) -> Mapping[str, Any]:
        """The values by name."""
        ...

    @property
    def origins(self) -> Mapping[str, str]:
        """Who chose each value."""
        ...


def settle(
    checkout: Checkout, manifest: Manifest, environment: Environment, case: Case, checkouts: Path
) -> Situation:
    """Bring together what one run of *case* needs; *checkouts* hold all projects' code.

    Raises UnknownReportError, TemplateError, SignatureError or ParameterError.
    """
    template = read_template(checkout.tree, manifest.report(case.report).template)
    schema = report_schema(checkout.tree, manifest, case.report)
    values = {
        name: None if given is None else convert(parameter.type, given, _ANY_DAY)
        for name, parameter in schema.by_name.items()
        for given in [case.params[name]]
    }
    told = (template, schema, values, case.origins)
    return Situation(checkout, manifest, environment, case.report, *told, checkouts)
