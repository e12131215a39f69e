"""``provenote reproduce``."""

from typing import Any

import click

from app.cli.again import Asking, ask_about, carry_out
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.intake.again import CannotBeginError, accept_reproduction
from app.reproduced import reproduction_object
from app.work.doorbell import SilentDoorbell
from pipeline.reproduction.answer import TOLERANCE, Grade, cannot
from provenance.ledger.reproductions import Attempted, answer_of, write_reproduction

_EXIT = {Grade.IDENTICAL: 0, Grade.WITHIN_TOLERANCE: 0, Grade.DIFFERS: 1, Grade.CANNOT: 3}
_COLOURS = {Grade.IDENTICAL: "green", Grade.WITHIN_TOLERANCE: "green", Grade.DIFFERS: "red"}
_MOST_SHOWN = 12


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1, max_open=True),
    default=TOLERANCE,
    show_default=True,
    help="Relative difference up to which numbers are near.",
)
@json_option
def command(run_id: str, tolerance: float, as_json: bool) -> None:
    """Make RUN again on the same code, data and environment, and compare.

    RUN is the id of a run, or "latest". Exit status: 0 identical or within tolerance, 1 it
    differs, 3 it cannot be made again.
    """
    asking = ask_about(run_id)
    told = _reproduce(asking, tolerance)
    if as_json:
        print_json(told)
    else:
        _print(told, asking.installation.base_url)
    raise click.exceptions.Exit(_EXIT[Grade(told["answer"])])


def _reproduce(asking: Asking, tolerance: float) -> dict[str, Any]:
    try:
        again = accept_reproduction(
            asking.installation, asking.run, tolerance, asking.requester, SilentDoorbell()
        )
    except CannotBeginError as error:
        return reproduction_object(error.reproduction)
    ended = carry_out(asking, again)
    with asking.installation.ledger.writing() as session:
        row = answer_of(session, again.id)
        if row is None:  # it was called off, or something did not answer
            because = (ended["error"] or {}).get("message") or f"it was {ended['verdict']}"
            answer = cannot(f"{because[:1].lower()}{because[1:]}")
            told = (str(answer.grade), answer.sentence, answer.details, asking.requester.actor)
            row = write_reproduction(session, Attempted(asking.run.id, again.id, *told))
        return reproduction_object(row)


def _print(told: dict[str, Any], base_url: str) -> None:
    grade, details = Grade(told["answer"]), told["details"]
    say(told["sentence"], bold=True, fg=_COLOURS.get(grade, "yellow"))
    if details.get("hint"):
        say(details["hint"])
    findings = details.get("findings", [])
    for found in findings[:_MOST_SHOWN]:
        say(f"  {'≈' if found['grade'] == 'within_tolerance' else '≠'} {found['where']}")
        for sign, text in (("-", found["before"]), ("+", found["after"])):
            if text:
                say(f"    {sign} {text}", dim=True)
    more = len(findings) - _MOST_SHOWN + details.get("more_findings", 0)
    if more > 0:
        say(f"  and {more} more", dim=True)
    if told["again"]:
        say(f"  {base_url.rstrip('/')}/runs/{told['again']}", dim=True)
