"""Papermill and nbconvert as people call them by hand: two commands, one after the other."""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.bench.commands import plain_environ, run
from tests.bench.peers.installed import NotInstallableError, installed

NAME = "papermill + jupyter nbconvert, by hand"
VERSIONS = {
    "papermill": "2.7.0",
    "nbconvert": "7.17.2",
    "ipykernel": "7.4.0",
    "pandas": "3.1.1",
    "matplotlib": "3.11.2",
}


@dataclass(frozen=True)
class ByHand:
    """The folder of their programs."""

    programs: Path

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a shell in which theirs is active."""
        return plain_environ(PATH=f"{self.programs}{os.pathsep}{os.environ['PATH']}")

    def execute(self, template: Path, executed: Path, **params: object) -> None:
        """Execute *template* by papermill."""
        given = [word for name, value in params.items() for word in ("-p", name, str(value))]
        command = [self.programs / "papermill", template, executed, "--no-progress-bar", *given]
        run(command, executed.parent, self.environ)

    def convert(self, executed: Path) -> None:
        """Turn the executed notebook into a page beside it."""
        command = [self.programs / "jupyter", "nbconvert", "--to", "html", executed.name]
        run(command, executed.parent, self.environ)

    def report(self, template: Path, folder: Path, **params: object) -> None:
        """Make the page of a report, as two commands."""
        executed = folder / "executed.ipynb"
        self.execute(template, executed, **params)
        self.convert(executed)

    def execute_all(self, template: Path, folder: Path, name: str, values: range) -> None:
        """Execute *template* once for each value of the parameter *name*, two at a time."""
        papermill = [self.programs / "papermill", template, "executed-{}.ipynb"]
        command = ["xargs", "-P2", "-I{}", *papermill, "--no-progress-bar", "-p", name, "{}"]
        run(command, folder, self.environ, "\n".join(map(str, values)))


def install_by_hand(caches: Path) -> ByHand:
    """Install them; everything is measured by them, so without them there is no bench."""
    pinned = [f"{name}=={version}" for name, version in VERSIONS.items()]
    root = caches / f"by-hand-{'-'.join(VERSIONS.values())}"
    try:
        return ByHand(installed(root, pinned))
    except NotInstallableError as error:
        raise SystemExit(f"Papermill and nbconvert are what is measured by, and {error}") from error
