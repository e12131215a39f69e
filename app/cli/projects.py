"""``provenote projects``."""

import re
import shutil
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.assemble import assemble, make_ready
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.intake.post_receive import post_receive_script
from app.intake.secrets import hook_secret
from app.secret_key import secret_key
from app.settings import Settings, read_settings
from pipeline.installation import Installation
from pipeline.repository.mirror import Mirror
from provenance.addresses import without_userinfo
from provenance.errors import InvalidInputError, ProvenoteError
from provenance.ledger.ids import new_id
from provenance.ledger.queries.projects import project_named
from provenance.ledger.tables import Project

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class ProjectExistsError(InvalidInputError):
    """Raised when a project is added under a name that another has."""

    code = "project_exists"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is a project {name!r} already.", "`provenote projects list` shows it."
        )


@click.group()
def command() -> None:
    """Add and list the projects that this installation serves."""


def _open() -> tuple[Settings, Installation]:
    settings = read_settings()
    installation = assemble(settings)
    make_ready(settings, installation)
    return settings, installation


@command.command("list")
@json_option
def list_projects(as_json: bool) -> None:
    """List all projects."""
    _, installation = _open()
    with installation.ledger.reading() as session:
        rows = [
            {
                "name": row.name,
                "url": without_userinfo(row.url),
                "default_branch": row.default_branch,
            }
            for row in session.scalars(select(Project).order_by(Project.name))
        ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        say(f"{row['name']}  {row['url']}  ({row['default_branch']})")
    if not rows:
        click.echo("No projects yet. Add one: provenote projects add NAME URL")


@command.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--branch", default="main", show_default=True, help="The default branch.")
@json_option
def add(name: str, url: str, branch: str, as_json: bool) -> None:
    """Serve the repository at URL as project NAME, and print how its pushes reach us.

    A project that is known from `provenote run` alone keeps its runs.
    """
    settings, installation = _open()
    if not _NAME.fullmatch(name):
        raise click.UsageError(f"{name!r}: expected lower-case letters, digits, - and _.")
    with installation.ledger.reading() as session:
        project = session.scalar(select(Project).where(Project.name == name))
    if project is None:
        project = Project(id=new_id("project"), name=name)
    elif not _is_of_runs(project.url):
        raise ProjectExistsError(name)
    project.url, project.default_branch = url, branch
    _try_to_read(Mirror(installation, project.id, url))
    try:
        with installation.ledger.writing() as session:
            project = session.merge(project)
    except IntegrityError:
        raise ProjectExistsError(name) from None
    _print_hooks(settings, project, as_json)


def _is_of_runs(url: str) -> bool:
    """Tell whether *url* is where somebody works, or did: `provenote run` writes that down."""
    return Path(url).is_absolute() and not Path(url, "HEAD").exists()


def _try_to_read(mirror: Mirror) -> None:
    """Fetch before anything is written; what cannot be read leaves nothing behind."""
    known = mirror.repository.exists()
    try:
        mirror.fetch()
    except ProvenoteError:
        if not known:
            shutil.rmtree(mirror.repository, ignore_errors=True)
        raise


@command.command("hooks")
@click.argument("name")
@click.option("--rotate", is_flag=True, help="Make a new secret; the last one stays valid too.")
@click.option("--script", is_flag=True, help="Print the post-receive script only.")
@json_option
def hooks(name: str, rotate: bool, script: bool, as_json: bool) -> None:
    """Print how pushes to project NAME reach us: hook address, secret, post-receive script."""
    settings, installation = _open()
    with installation.ledger.writing() as session:
        project = project_named(session, name)
        project.hook_generation += int(rotate)
    if script:
        click.echo(_script(settings, project), nl=False)
        return
    _print_hooks(settings, project, as_json)


def _secret(settings: Settings, project: Project) -> str:
    return hook_secret(secret_key(settings), project.name, project.hook_generation)


def _script(settings: Settings, project: Project) -> str:
    return post_receive_script(settings.base_url, project.name, _secret(settings, project))


def _print_hooks(settings: Settings, project: Project, as_json: bool) -> None:
    told = {
        "name": project.name,
        "url": without_userinfo(project.url),
        "github_hook": f"{settings.base_url}/hooks/github/{project.name}",
        "git_hook": f"{settings.base_url}/hooks/git/{project.name}",
        "secret": _secret(settings, project),
        "post_receive": _script(settings, project),
    }
    if as_json:
        print_json(told)
        return
    say(f"Project {project.name} is served from {told['url']}.")
    click.echo()
    click.echo("On GitHub: Settings → Webhooks → Add webhook, content type application/json,")
    click.echo(f"  Payload URL  {told['github_hook']}")
    click.echo(f"  Secret       {told['secret']}\n")
    click.echo("In a bare repository of your own: save this as hooks/post-receive, mode 0700.")
    click.echo(f"  provenote projects hooks {project.name} --script > hooks/post-receive\n")
    click.echo(told["post_receive"])
