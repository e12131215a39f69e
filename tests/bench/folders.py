"""Repositories and notebooks that are measured on."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.commands import run

_IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    """Make a git repository of *files*, all committed, and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    run([git(), "init", "--quiet", "--initial-branch", "main"], folder, os.environ)
    commit_all(folder)
    return folder


def bare_clone(source: Path, target: Path) -> Path:
    """Clone *source* without a working tree, as a server keeps it, and return *target*."""
    run([git(), "clone", "--quiet", "--bare", source, target], source, os.environ)
    return target


def make_home(folder: Path, environments: Path) -> Path:
    """Make an empty home that shares *environments*, so that none is built twice."""
    home = folder / "home"
    home.mkdir(parents=True, mode=0o700)
    environments.mkdir(parents=True, exist_ok=True)
    (home / "environments").symlink_to(environments)
    return home


def commit_all(folder: Path) -> None:
    """Commit what there is."""
    run([git(), "add", "--all"], folder, os.environ)
    run(
        [git(), *_IDENTITY, "commit", "--quiet", "--allow-empty", "-m", "Bench"],
        folder,
        os.environ,
    )


def git() -> str:
    found = shutil.which("git")
    if found is None:
        raise SystemExit("git is not installed.")
    return found


def notebook(cells: Sequence[tuple[str | None, str]]) -> str:
    """Return a notebook of code cells, each a tag or None and a source."""
    told: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {"tags": [tag]} if tag else {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, (tag, source) in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": told, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
