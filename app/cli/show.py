"""``provenote show``."""

from typing import Any

import click

from app.assemble import assemble, make_ready
from app.cli.meant import run_named
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.cli.runs import run_with_jobs
from app.settings import read_settings


@click.command()
@click.argument("run_id", metavar="RUN")
@json_option
def command(run_id: str, as_json: bool) -> None:
    """Show a run: how it ended and how it came to be.

    RUN is the id of a run, or "latest".
    """
    settings = read_settings()
    installation = assemble(settings)
    make_ready(settings, installation)
    with installation.ledger.reading() as session:
        found = run_named(session, run_id)
    run = run_with_jobs(installation, found)
    if as_json:
        print_json(run)
        return
    _print(run)


def _print(run: dict[str, Any]) -> None:
    say(f"{run['project']} / {run['report']}  {run['verdict'] or run['status']}", bold=True)
    told = {
        "run": run["id"],
        "commit": f"{run['commit']}" + (f" ({run['branch']})" if run["branch"] else ""),
        "asked by": f"{run['actor']} ({run['trigger']})",
        "finished": run["finished_at"] or "not yet",
        "key": run["key"] or "-",
        "page": run["links"].get("report", run["links"]["page"]),
    }
    if run["figures"]:
        told["figures"] = f"{run['figures']}, at {run['links']['page']}/figures"
    told |= {
        f"param {name}": '""' if value == "" else value for name, value in run["params"].items()
    }
    for name, value in told.items():
        say(f"  {name:<16} {value}")
    for job in run["jobs"]:
        say(f"  {job['stage']:<16} {job['status']}: {job['sentence']}")
    for file in run["inputs"]:
        say(f"  input {file['name']:<10} sha256 {file['sha256']} from {file['producer']}")
    for metric in run["metrics"]:
        say(f"  {metric['name']:<16} {metric['value']} {metric['unit'] or ''}")
    for check in run["checks"]:
        say(f"  {'✓' if check['ok'] else '✕'} {check['message']}")
    if run["error"]:
        say(f"  {run['error']['message']}")
