"""``provenote whatif``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from app.cli.again import Asking, ask_about, carry_out
from app.cli.explain import print_comparison
from app.cli.local import parse_params, resolve_here
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.cli.running import EXIT
from app.explained import explained
from app.intake.again import Swap, accept_whatif
from app.work.doorbell import SilentDoorbell
from pipeline.repository.git import GitError, git
from pipeline.repository.mirror import Mirror
from provenance.datasets.instants import read_instant
from provenance.ledger.states import Verdict


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--code", metavar="REV", help="Another branch, tag or commit.")
@click.option(
    "--data",
    "batches",
    multiple=True,
    metavar="[NAME=]BATCH",
    help="Another batch, by id; or by number, of DATASET/PARTITION or model:NAME.",
)
@click.option("--as-of", metavar="INSTANT", help="The data that was current then.")
@click.option("-p", "--param", "given", multiple=True, metavar="NAME=VALUE", help="Other values.")
@json_option
def command(run_id: str, as_json: bool, **swap: Any) -> None:
    """Run RUN with one thing swapped, and say what moved.

    RUN is the id of a run, or "latest". Exactly one of --code, --data, --as-of and -p is
    given; the latter may be repeated. What does not depend on it is reused.
    """
    asking = ask_about(run_id)
    wanted = _swap(asking, **swap)
    run = accept_whatif(asking.installation, asking.run, wanted, asking.requester, SilentDoorbell())
    ended = carry_out(asking, run)
    with asking.installation.ledger.reading() as session:
        told = explained(session, asking.installation, asking.run.id, run.id)
    if as_json:
        print_json({"run": ended, "explanation": told})
    else:
        _print(ended, told)
    raise click.exceptions.Exit(EXIT.get(Verdict(ended["verdict"]), 3))


def _print(run: dict[str, Any], told: dict[str, Any]) -> None:
    for status in ("reused", "executed"):
        names = [job["stage"] for job in run["jobs"] if job["status"] == status]
        say(f"{status}: {', '.join(names) or 'nothing'}", dim=True)
    print_comparison(told)
    if run["error"]:
        say(f"It ended with {run['error']['message']}", fg="red")
    say(f"  {run['links']['page']}", dim=True)


def _swap(
    asking: Asking,
    code: str | None,
    batches: Sequence[str],
    as_of: str | None,
    given: Sequence[str],
) -> Swap:
    data = {}
    for text in batches:
        name, _, batch = text.rpartition("=")
        data[name or batch] = batch
    return Swap(
        code=_commit_here(asking, code) if code else None,
        data=data,
        as_of=read_instant(as_of, "--as-of") if as_of else None,
        params=parse_params(given),
    )


def _commit_here(asking: Asking, revision: str) -> str:
    """Return the commit that *revision* means in this directory, where that is the project.

    Such as HEAD~1, and commits that no branch leads to: they are brought into our copy.
    """
    project = asking.run.project
    try:
        top = git(["rev-parse", "--show-toplevel"], directory=Path.cwd()).decode().strip()
    except GitError:
        return revision
    found = resolve_here(Path(top), f"{revision}^{{commit}}") if top == project.url else None
    if found is None:
        return revision
    mirror = Mirror(asking.installation, project.id, project.url)
    if not mirror.has(found):
        mirror.fetch(found)
    return found
