"""``provenote gc``."""

from dataclasses import asdict
from typing import Any

import click

from app.assemble import assemble, make_ready
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.settings import read_settings
from pipeline.environments import UNUSED_DAYS, place_of
from pipeline.installation import Installation
from provenance.gc import Cleared, Collector, Keep
from provenance.sweep import Place

_SHOWN = 20
_NOT_NEGATIVE = click.FloatRange(min=0)


@click.command()
@click.option("--delete", is_flag=True, help="Clear away; without it, only show what would go.")
@click.option(
    "--keep-days",
    type=_NOT_NEGATIVE,
    default=Keep.days,
    show_default=True,
    help="How long a result stays reusable that no run has used.",
)
@click.option(
    "--environment-days",
    type=_NOT_NEGATIVE,
    default=UNUSED_DAYS,
    show_default=True,
    help="How long an environment stays that no run has used.",
)
@click.option(
    "--grace",
    type=_NOT_NEGATIVE,
    default=Keep.grace,
    show_default=True,
    help="Seconds for which whatever was just written or used stays.",
)
@click.option(
    "--despite-losses",
    is_flag=True,
    help="Clear away objects although records or pages that the ledger names are gone.",
)
@click.option("-v", "--verbose", is_flag=True, help="List every single thing.")
@json_option
def command(delete: bool, verbose: bool, as_json: bool, **kept: Any) -> None:
    """Show what can be cleared away, or clear it away.

    What the ledger names stays: pages, what they stood on, batches, what is pinned.
    """
    settings = read_settings()
    installation = assemble(settings)
    make_ready(settings, installation)
    keep = Keep(
        kept["grace"],
        kept["keep_days"],
        kept["despite_losses"],
        _places(installation, kept["environment_days"]),
        (installation.locks,),
    )
    collector = Collector(installation.store, installation.ledger, keep)
    cleared = collector.clear() if delete else collector.look()
    if as_json:
        print_json(_as_json(cleared, deleted=delete))
    else:
        _print(cleared, deleted=delete, verbose=verbose)


def _places(installation: Installation, environment_days: float) -> tuple[Place, ...]:
    return (
        Place("checkout", installation.checkouts, 2),
        place_of(installation.environments, environment_days),
        Place("copy", installation.home / "batches", 1),
        Place("upload", installation.home / "incoming", 1),
    )


def _as_json(cleared: Cleared, *, deleted: bool) -> dict[str, Any]:
    return {
        "deleted": deleted,
        "totals": {
            kind: {"count": count, "bytes": size}
            for kind, (count, size) in cleared.totals().items()
        },
        "items": [asdict(one) for one in cleared.garbage],
        "kept": {"objects": cleared.kept, "bytes": cleared.kept_bytes},
        "quarantine": cleared.quarantine,
        "lost": cleared.lost,
        "busy": cleared.busy,
    }


def _print(cleared: Cleared, *, deleted: bool, verbose: bool) -> None:
    few = 0 if deleted else _SHOWN
    for kind, (count, size) in cleared.totals().items():
        click.secho(f"{kind:<12} {count:>7}  {_human(size):>10}", bold=True)
        shown = count if verbose else few
        for one in [one for one in cleared.garbage if one.kind == kind][:shown]:
            say(f"  {one.name}  {_human(one.size)}  {one.why}")
        if 0 < shown < count:
            click.echo(f"  … and {count - shown} more; -v lists all")
    click.echo(f"{cleared.kept} objects stay, {_human(cleared.kept_bytes)}.")
    for told in _remarks(cleared):
        click.secho(told, fg="yellow")
    total = _human(sum(one.size for one in cleared.garbage))
    if deleted:
        click.echo(f"{len(cleared.garbage)} things were cleared away, {total}.")
    elif cleared.garbage:
        click.echo(f"{len(cleared.garbage)} things can go, {total}: `provenote gc --delete`.")
    else:
        click.echo("There is nothing to clear away.")


def _remarks(cleared: Cleared) -> list[str]:
    told = []
    if cleared.quarantine:
        told.append(f"{len(cleared.quarantine)} broken objects lie in quarantine/; they stay.")
    if cleared.busy:
        told.append("Something is under way: checkouts stay, environments in use, and what is new.")
    if cleared.lost:
        told.append(
            f"{len(cleared.lost)} records or pages that the ledger names cannot be read, so nobody "
            "knows what they lead to. Objects without a name: bring them back from a backup, or "
            "add --despite-losses."
        )
    return told


def _human(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
