"""``provenote plan``."""

from collections.abc import Mapping
from typing import Any

import click

from app.cli.local import Local, open_local, wanted_cases, wanted_data
from app.cli.naming import case_name
from app.cli.options import as_of_option, commit_option, json_option, param_option
from app.cli.output import print_json, say
from pipeline.asked import DataWanted
from pipeline.data import read_data
from pipeline.environment_prepared import known_environment
from pipeline.environments import lock_of
from pipeline.foresight import Foreseen, foresee
from pipeline.situation import settle
from provenance.ledger.intake import CaseToRun

_MARKS = {"reused": "=", "execute": "▸", "waits": "…"}


@click.command()
@click.argument("report", required=False)
@param_option
@commit_option
@as_of_option
@json_option
def command(
    report: str | None,
    given: tuple[str, ...],
    revision: str | None,
    as_of: str | None,
    as_json: bool,
) -> None:
    """Show what `provenote run REPORT` would execute, and why; nothing is executed."""
    if given and report is None:
        raise click.UsageError("-p needs a REPORT to set a parameter of.")
    local = open_local(revision, only_look=True)
    data = wanted_data(as_of)
    plans = [(case, _foresee(local, case, data)) for case in wanted_cases(local, report, given)]
    if as_json:
        print_json([_object(case, steps) for case, steps in plans])
        return
    for case, steps in plans:
        say(f"{case.report} ({case_name(case.case)})", bold=True)
        for step in steps:
            say(f"  {_MARKS[step.status]} {step.name:<20} {step.sentence}")
    click.echo("\n= is reused, ▸ is executed, … depends on what the one before it gives")


def _foresee(local: Local, case: CaseToRun, data: DataWanted) -> list[Foreseen]:
    lock = lock_of(local.checkout.tree, local.manifest.environment.from_)
    environment = known_environment(local.installation, lock)
    checkouts = local.installation.checkouts
    situation = settle(local.checkout, local.manifest, environment, case, checkouts)
    situation = read_data(local.installation, situation, data)
    return foresee(local.installation, situation, local.project_id, case.case_key)


def _object(case: CaseToRun, steps: list[Foreseen]) -> Mapping[str, Any]:
    return {
        "report": case.report,
        "params": case.params,
        "jobs": [
            {
                "stage": step.name,
                "key": step.key,
                "status": step.status,
                "reason": step.reason,
                "sentence": step.sentence,
            }
            for step in steps
        ],
    }
