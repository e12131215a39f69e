"""``provenote demo``."""

import os
import re
from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy import select

from app.assemble import assemble, make_ready
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.demo import DemoProject, lay_out
from app.intake.post_receive import post_receive_script
from app.intake.request import Push, accept_push
from app.intake.secrets import hook_secret
from app.secret_key import secret_key
from app.serve import answers
from app.settings import BASE_URL, Settings, read_settings
from app.source_urls import remember_source_urls
from app.work.doorbell import SilentDoorbell
from pipeline.installation import Installation
from pipeline.repository.mirror import Mirror
from provenance.ledger.ids import new_id
from provenance.ledger.tables import Project

NAME = "flights"
_LEADS_TO = re.compile(r"https?://[^\s\"']+?(?=/hooks/git/)")


@click.command()
@click.option("--prepare", is_flag=True, help="Also build the environment that reports run in.")
@json_option
def command(prepare: bool, as_json: bool) -> None:
    """Lay out the demo project and queue its history for evaluation.

    A second call queues nothing that was evaluated before.
    """
    settings = read_settings()
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    installation = replace(assemble(settings), allow_file_repositories=True)
    make_ready(settings, installation)
    demo = lay_out(settings.home / "demo")
    remember_source_urls(settings.home, demo.source_urls)
    project = _project(installation, demo)
    _write_hook(settings, project, demo.repository, anew=prepare or BASE_URL in os.environ)
    queued = _queue(installation, project, demo)
    if prepare:
        click.echo("Building the environment that reports run in …", err=True)
        _build_environment(installation)
    told = {
        "project": NAME,
        "repository": str(demo.repository),
        "clone": str(demo.clone),
        "commits": list(demo.commits),
        "queued": queued,
    }
    if as_json:
        print_json(told)
        return
    todo = f"{queued} of them queued" if queued else "all of them queued before"
    click.echo(f"The demo project {NAME} has {len(demo.commits)} commits, {todo}.")
    click.echo(f"A clone to work in: {demo.clone}")
    if not prepare:
        click.echo("Evaluate and look: PROVENOTE_ALLOW_FILE_REPOSITORIES=1 provenote serve")


def _project(installation: Installation, demo: DemoProject) -> Project:
    with installation.ledger.writing() as session:
        project = session.scalars(select(Project).where(Project.name == NAME)).one_or_none()
        if project is None:
            project = Project(id=new_id("project"), name=NAME, url=str(demo.repository))
            session.add(project)
        # A run in a clone may have come first, and have taken the clone for the repository.
        project.url = str(demo.repository)
        return project


def _write_hook(settings: Settings, project: Project, repository: Path, *, anew: bool) -> None:
    """Let a push to the demo's repository reach this installation, wherever it serves now.

    A hook that is there stays, unless it is to be written *anew*: our address is a guess where
    nobody gave one, and the server that the hook leads to may be at another.
    """
    hook = repository / "hooks" / "post-receive"
    if hook.exists():
        if not anew:
            return
        before = _LEADS_TO.search(hook.read_text())
        if (
            before
            and before[0] != settings.base_url.rstrip("/")
            and answers(f"{before[0]}/healthz")
        ):
            say(f"Pushes to the demo go on to {before[0]}, where this is served already.", err=True)
            return
    secret = hook_secret(secret_key(settings), project.name, project.hook_generation)
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(post_receive_script(settings.base_url, project.name, secret))
    hook.chmod(0o700)


def _queue(installation: Installation, project: Project, demo: DemoProject) -> int:
    """Ask for the evaluation of each commit, as if it had been pushed by itself."""
    before = None
    queued = 0
    mirror = Mirror(installation, project.id, project.url)
    mirror.fetch()
    for sha in demo.commits:
        author = mirror.commit(sha).author
        push = Push("refs/heads/main", "main", sha, before, author, delivery=None)
        accepted = accept_push(installation.ledger, project, push, SilentDoorbell())
        queued += not accepted.duplicate
        before = sha
    return queued


def _build_environment(installation: Installation) -> None:
    from pipeline.environment_prepared import known_environment
    from pipeline.environments import lock_of
    from pipeline.repository.tree import MemoryTree

    known_environment(installation, lock_of(MemoryTree({}), None))
