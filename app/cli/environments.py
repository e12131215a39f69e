"""``provenote environments``."""

import click

from app.cli.data_common import open_installation, tell
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.environment_object import environment_object, whole_environment
from app.web.filters import ago, duration, size
from pipeline.installation import Installation
from provenance.errors import NotFoundError
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
@json_option
def command(key: str | None, log: bool, as_json: bool) -> None:
    """List all environments, or show the one whose key begins with KEY."""
    if log and key is None:
        raise click.UsageError("--log needs the KEY of an environment.")
    installation = open_installation()
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
    say(f"{len(found.packages)} packages")
    for name, version in found.packages.items():
        tell(f"  {name}", version)
    for report in page.reports:
        tell(f"used by {report.project} / {report.report}", f"{report.runs} runs", report.latest)


def _log(installation: Installation, page: EnvironmentPage) -> None:
    digest = next((build.log for build in page.found.builds if build.log), None)
    if digest is None:
        raise NotFoundError("No log of its builds is kept.", "`provenote gc` lets go of old ones.")
    text = installation.store.read(digest).decode(errors="replace")
    for line in text.splitlines():
        say(line)
