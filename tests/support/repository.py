"""Real git repositories, made for one test."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Files = Mapping[str, "str | bytes | None"]


@dataclass(frozen=True)
class Repository:
    """A repository with a working tree, written to and committed to by a test."""

    path: Path

    def git(self, *arguments: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, files: Files) -> None:
        """Write *files* into the working tree; None removes one."""
        for name, content in files.items():
            path = self.path / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Files, message: str = "A change") -> str:
        """Write *files*, commit all there is, and return the commit's name."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")


def make_repository(path: Path, *commits: Files) -> Repository:
    """Make a repository whose branch main has *commits*, each a set of files that it writes."""
    path.mkdir(parents=True)
    made = Repository(path)
    made.git("init", "--quiet", "--initial-branch=main")
    for number, files in enumerate(commits, start=1):
        made.commit(files, f"Commit {number}")
    return made


def notebook(
    *sources: str, tagged: int | None = None, kernel: str = "python3", language: str = "python"
) -> str:
    """Return a notebook of code cells; one that starts with ``#`` and a space is Markdown.

    *tagged* is the index of the cell that is tagged ``parameters``.
    """
    cells = []
    for number, source in enumerate(sources):
        cell = {"cell_type": "markdown", "id": f"c{number}", "metadata": {}, "source": source}
        if not source.startswith("# "):
            tags = {"tags": ["parameters"]} if number == tagged else {}
            cell |= {"cell_type": "code", "execution_count": None, "outputs": [], "metadata": tags}
        cells.append(cell)
    spec = {"name": kernel, "display_name": kernel, "language": language}
    body = {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(body)
