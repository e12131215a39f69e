"""``provenote init``."""

import re
from pathlib import Path

import click

from app.cli.options import json_option
from app.cli.output import print_json
from pipeline.repository.git import GitError, git
from provenance.errors import InvalidInputError, NotFoundError

SCAFFOLD = Path(__file__).parents[2] / "examples" / "scaffold"
_MANIFEST = "provenote.toml"


class ProjectThereError(InvalidInputError):
    """Raised when a repository is a provenote project already."""

    code = "project_there"


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Make a provenote project in this git repository: a manifest, a stage, a report.

    No file that is there is touched.
    """
    root = _repository(Path.cwd())
    if (root / _MANIFEST).exists():
        raise ProjectThereError(
            f"{root} has a {_MANIFEST} already.", "`provenote run` runs its reports."
        )
    made, kept = _scaffold(root)
    if as_json:
        print_json({"root": str(root), "made": made, "kept": kept})
        return
    for path in made:
        click.echo(f"  made {path}")
    for path in kept:
        click.echo(f"  kept {path}, which was there")
    click.echo("\nNow run it:\n\n  provenote run")


def _repository(directory: Path) -> Path:
    try:
        top = git(["rev-parse", "--show-toplevel"], directory=directory)
    except GitError:
        raise NotFoundError(
            f"{directory} is in no git repository.", "Make it one first: git init"
        ) from None
    return Path(top.decode().strip())


def _scaffold(root: Path) -> tuple[list[str], list[str]]:
    made, kept = [], []
    for source in sorted(path for path in SCAFFOLD.rglob("*") if path.is_file()):
        name = source.relative_to(SCAFFOLD)
        target = root / name
        if target.exists():
            kept.append(str(name))
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        target.write_text(text.replace("{{project}}", _name(root)), encoding="utf-8")
        made.append(str(name))
    return made, kept


def _name(root: Path) -> str:
    """Return a project name made of the folder's."""
    return re.sub(r"[^a-z0-9_-]+", "-", root.name.lower()).strip("-_") or "project"
