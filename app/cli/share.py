"""``provenote share``."""

from typing import Any

import click

from app.cli.data_common import actor, open_installation
from app.cli.meant import run_named
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.sharing.links import MOST_DAYS, USUAL_DAYS, end_of, new_link, share_object
from pipeline.installation import Installation
from provenance.ledger.finding import find_run
from provenance.ledger.shares import revoke_share, shares_of


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    help=f"How many days from now the link ends; {USUAL_DAYS} where nothing is said.",
)
@click.option("--until", metavar="INSTANT", help="When it ends: a date (its end) or an instant.")
@click.option("--list", "listed", is_flag=True, help="List the links to RUN.")
@click.option("--revoke", "revoked", metavar="SHARE", help="End this link now, by its id.")
@json_option
def command(run_id: str | None, as_json: bool, **how: Any) -> None:
    """Make a link that opens one report to whoever has it, until it ends.

    RUN is the id of a run, or "latest". The link leads to the report and its downloads, and to
    nothing else of the archive. It is printed this once; only its digest is kept.
    """
    _check_usage(run_id, **how)
    installation = open_installation()
    if how["revoked"] is not None:
        with installation.ledger.writing() as session:
            told = share_object(revoke_share(session, how["revoked"], actor()))
        print_json(told) if as_json else _print(told)
        return
    with installation.ledger.reading() as session:
        run = find_run(session, run_named(session, str(run_id))).id
    if how["listed"]:
        _list(installation, run, as_json=as_json)
        return
    told = new_link(installation, run, end_of(how["days"], how["until"]), actor())
    print_json(told) if as_json else _print_new(told)


def _check_usage(
    run_id: str | None, days: int | None, until: str | None, listed: bool, revoked: str | None
) -> None:
    if (run_id is None) == (revoked is None):
        raise click.UsageError("Give a RUN to share, or --revoke SHARE.")
    ways = (days is not None, until is not None, listed, revoked is not None)
    if sum(ways) > 1:
        raise click.UsageError("Give one of --days, --until, --list and --revoke at most.")


def _list(installation: Installation, run_id: str, *, as_json: bool) -> None:
    with installation.ledger.reading() as session:
        items = [share_object(row) for row in shares_of(session, run_id)]
    if as_json:
        print_json({"items": items})
        return
    for told in items:
        _print(told)
    if not items:
        say(f"Nobody has been given a link: provenote share {run_id} makes one.", err=True)


def _print_new(told: dict[str, Any]) -> None:
    say(told["url"])
    say(f"It opens until {told['ends_at']}, and is not shown again.", err=True)
    say(f"provenote share --revoke {told['id']} ends it before.", err=True, dim=True)


def _print(told: dict[str, Any]) -> None:
    state = "open until" if told["open"] else "revoked at" if told["revoked_at"] else "ended at"
    at = told["revoked_at"] or told["ends_at"]
    by = f"by {told['revoked_by'] or told['actor']}"
    say(f"{told['id']}  {state} {at}  {by}")
