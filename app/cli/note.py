"""``provenote note``."""

from typing import Any

import click
from sqlalchemy.orm import Session

from app.cli.data_common import actor, open_installation
from app.cli.meant import run_named
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.notes_object import notes_object
from provenance.datasets.instants import read_end
from provenance.datasets.pins import pin, unpin
from provenance.ledger.finding import find_run
from provenance.ledger.marks import add_comment, add_tag, remove_tag


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--tag", "tags", multiple=True, help="Put a tag on it.")
@click.option("--untag", "gone", multiple=True, metavar="TAG", help="Take a tag away.")
@click.option("--comment", metavar="TEXT", help="Say something about it.")
@click.option("--pin/--unpin", "pinned", default=None, help="Hold on to it, or let go of it.")
@click.option("--reason", default="", help="Why it is pinned.")
@click.option("--until", metavar="INSTANT", help="When the pin ends by itself; left out: never.")
@json_option
def command(run_id: str, as_json: bool, **given: Any) -> None:
    """Show what people have made of RUN (or latest): tags, comments, pins; or add to it.

    A pinned run is not deleted, and its page is kept whatever the retention of its report.
    """
    installation = open_installation()
    if any(given[name] for name in ("tags", "gone", "comment")) or given["pinned"] is not None:
        with installation.ledger.writing() as session:
            _write(session, find_run(session, run_named(session, run_id)).id, given)
    with installation.ledger.reading() as session:
        told = notes_object(session, find_run(session, run_named(session, run_id)).id)
    if as_json:
        print_json(told)
    else:
        _print(told)


def _write(session: Session, run_id: str, given: dict[str, Any]) -> None:
    for tag in given["tags"]:
        add_tag(session, run_id, tag, actor())
    for tag in given["gone"]:
        remove_tag(session, run_id, tag)
    if given["comment"]:
        add_comment(session, run_id, given["comment"], actor())
    if given["pinned"]:
        ends = read_end(given["until"], "--until") if given["until"] else None
        pin(session, run_id, actor(), given["reason"], ends)
    elif given["pinned"] is not None:
        unpin(session, run_id, actor())


def _print(told: dict[str, Any]) -> None:
    say(f"{told['run']}: {', '.join(told['tags']) or 'no tags'}")
    for one in told["pins"]:
        until = f" until {one['expires_at']}" if one["expires_at"] else ""
        say(f"  pinned by {one['holder']}{until}{': ' if one['reason'] else ''}{one['reason']}")
    for one in told["comments"]:
        for line in f"{one['actor']}, {one['at']}: {one['text']}".split("\n"):
            say(f"  {line}")
