"""``provenote environments``."""

import click

from app.cli.data_common import actor, open_installation, tell
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.environment_object import environment_object, whole_environment
from app.web.filters import ago, duration, size
from pipeline.installation import Installation
from provenance.errors import NotFoundError
from provenance.ledger.environment_tables import KernelProof
from provenance.ledger.kernel_proofs import trust
from provenance.ledger.queries.environments import (
    EnvironmentFound,
    EnvironmentPage,
    environment_page,
    environments,
)

_DIGITS = 12


@click.command()
@click.argument("key", required=False)
@click.option("--log", "log", is_flag=True, help="Print what was said when KEY was built last.")
@click.option("--trust", "trusts", is_flag=True, help="Use the warm kernels of KEY again.")
@json_option
def command(key: str | None, log: bool, trusts: bool, as_json: bool) -> None:
    """List all environments, or show the one whose key begins with KEY."""
    if (log or trusts) and key is None:
        option = "--log" if log else "--trust"
        raise click.UsageError(f"{option} needs the KEY of an environment.")
    installation = open_installation()
    if trusts and key is not None:
        _trust(installation, key, quiet=as_json)
    base = installation.base_url
    with installation.ledger.reading() as session:
        page = environment_page(session, key) if key is not None else None
        found = [] if page else environments(session)
    if page is None and as_json:
        print_json({"items": [environment_object(one, base) for one in found]})
    elif page is None:
        _list(found)
    elif log:
        _log(installation, page)
    elif as_json:
        print_json(whole_environment(page, base))
    else:
        _show(page)


def _list(found: list[EnvironmentFound]) -> None:
    for one in found:
        build = one.build
        tell(
            one.key[:_DIGITS],
            f"{one.state:<11}",
            f"{one.source:<18}",
            f"Python {one.python}",
            f"{len(one.packages)} packages" if one.packages else "",
            size(build.size) if build and build.size else "",
            f"{one.runs} runs",
            f"last {ago(one.last_run)}" if one.last_run else "",
            "warm kernels off" if one.kernels_off else "",
        )
    if not found:
        click.echo("No environments yet. The first run builds one, and so does `provenote plan`.")


def _show(page: EnvironmentPage) -> None:
    found = page.found
    say(f"{found.key}  {found.state}", bold=True)
    tell(f"from {found.source}", f"Python {found.python}", found.platform)
    for build in found.builds:
        words = [size(build.size), f"in {duration(build.seconds)}" if build.seconds else ""]
        tell(f"  {build.state:<11}", ago(build.started_at), *words, f"on {build.host}")
        if build.error:
            for line in str(build.error.get("message", "")).split("\n"):
                say(f"    {line}", fg="red")
    for proof in found.kernels:
        _show_kernels(proof)
    say(f"{len(found.packages)} packages")
    for name, version in found.packages.items():
        tell(f"  {name}", version)
    for report in page.reports:
        tell(f"used by {report.project} / {report.report}", f"{report.runs} runs", report.latest)


def _trust(installation: Installation, key: str, *, quiet: bool) -> None:
    with installation.ledger.writing() as session:
        found = environment_page(session, key).found
        were_off = trust(session, found.key, actor())
    if quiet:
        return
    again = "Warm kernels are used again; the next report of one is proved."
    say(again if were_off else "Its warm kernels were not off.")


def _show_kernels(proof: KernelProof) -> None:
    kernels = f"warm kernels with {', '.join(proof.modules) or 'nothing'} imported"
    if proof.off_at is None:
        tell(kernels, f"proved {proof.proved} times", f"last {ago(proof.at)}" if proof.at else "")
        return
    say(f"{kernels}  off since run {proof.run_id}, {ago(proof.off_at)}", fg="red")
    if proof.told:
        say(f"  {proof.told['sentence']}", fg="red")
    say(f"  `provenote environments {proof.environment[:_DIGITS]} --trust` uses them again.")


def _log(installation: Installation, page: EnvironmentPage) -> None:
    digest = next((build.log for build in page.found.builds if build.log), None)
    if digest is None:
        raise NotFoundError("No log of its builds is kept.", "`provenote gc` lets go of old ones.")
    text = installation.store.read(digest).decode(errors="replace")
    for line in text.splitlines():
        say(line)
