"""``provenote explain``."""

from typing import Any

import click

from app.assemble import assemble, make_ready
from app.cli.meant import run_named
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.explained import explained, run_before
from app.settings import read_settings
from app.web.filters import number, short, signed

_MARKS = {True: "=", False: "≠"}
_BOTH = ("before", "after")


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("other", metavar="[OTHER]", required=False)
@click.option("--previous", is_flag=True, help="Compare with the run of the same case before.")
@json_option
def command(run_id: str, other: str | None, previous: bool, as_json: bool) -> None:
    """Tell how a run came to be; of two, why they differ.

    RUN is the id of a run, or "latest". With OTHER, or with --previous, the causes of the
    difference are named in order, each with its own diff.
    """
    if previous and other is not None:
        raise click.UsageError("--previous names the other run already: leave OTHER out.")
    settings = read_settings()
    installation = assemble(settings)
    make_ready(settings, installation)
    with installation.ledger.reading() as session:
        a, b = run_named(session, run_id), other and run_named(session, other)
        if previous:
            a, b = run_before(session, a), a
        told = explained(session, installation, a, b)
    if as_json:
        print_json(told)
    elif b is None:
        _print_story(told)
    else:
        print_comparison(told)


def _print_story(told: dict[str, Any]) -> None:
    say(told["sentence"], bold=True)
    topic = ""
    for line in told["lines"]:
        if line["topic"] != topic:
            topic = line["topic"]
            say(f"\n{topic}", bold=True)
        digest = f"  {short(line['digest'])}" if line["digest"] else ""
        say(f"  {line['subject']:<18} {line['sentence']}{digest}")


def print_comparison(told: dict[str, Any]) -> None:
    """Print why two runs differ, and what became of each job."""
    say(told["sentence"], bold=True)
    say(f"  {told['a']} → {told['b']}", dim=True)
    for place, cause in enumerate(told["causes"], start=1):
        say("")
        without = "" if cause["moved"] else "  (without effect)"
        say(f"{place}. {cause['kind'].replace('_', ' ')}: {cause['sentence']}{without}", bold=True)
        if cause["where"]:
            say(f"   reaches {', '.join(cause['where'])}", dim=True)
        for line in (cause["diff"] or "").splitlines():
            say(f"   {line}", fg=line_colour(line))
    _print_results(told["results"])
    _print_jobs(told["jobs"])
    for note in told["notes"]:
        say(f"note: {note}", dim=True)


def _print_results(results: dict[str, Any]) -> None:
    if results["metrics"] or results["checks"]:
        say("\nresults", bold=True)
    for metric in results["metrics"]:
        change = f"{signed(metric['difference'])} {metric['direction']}"
        moved = f"{number(metric['before'])} → {number(metric['after'])}"
        if metric["only"]:
            run = "second" if metric["only"] == "after" else "first"
            moved, change = number(metric[metric["only"]]), f"only in the {run} run"
        say(f"  {metric['name']:<24} {moved:<24} {change}", fg=_sense(metric["direction"]))
    for check in results["checks"]:
        words = [{True: "held", False: "failed", None: "absent"}[check[name]] for name in _BOTH]
        colour = "green" if check["after"] else "red"
        say(f"  {words[0]} → {words[1]}: {check['message']}", fg=colour)


def _print_jobs(jobs: list[dict[str, Any]]) -> None:
    say("\njobs", bold=True)
    for job in jobs:
        key = short(job["before"]) or "none"
        if not job["same_key"]:
            key = f"{key} → {short(job['after']) or 'none'}"
        mark = _MARKS[job["same_outputs"]]
        say(f"  {mark} {job['name']:<20} {key:<20} {job['why']}")


def line_colour(line: str) -> str | None:
    """Return the colour of a line of a diff."""
    if line.startswith(("---", "+++", "@@")):
        return "cyan"
    return {"+": "green", "-": "red"}.get(line[:1])


def _sense(direction: str) -> str | None:
    return {"better": "green", "worse": "red"}.get(direction)
