"""The same chain in other tools, each in an environment of its own: how soon do they know?

Every tool says in its own words that nothing is to be done; a call that does not say so ends
the bench. What cannot be installed here, without a network for instance, is left out.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.commands import plain_environ, run
from tests.bench.folders import commit_all, repository
from tests.bench.peers.installed import installed
from tests.bench.rounds import Way

_QUIET = {"DVC_NO_ANALYTICS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True)
class Peer:
    """A tool, the version that is measured, and what it is called with."""

    name: str
    version: str
    files: Callable[[int], Mapping[str, str]]
    """Returns the project with a chain of that length."""
    prepare: tuple[tuple[str, ...], ...]
    """Commands before the first real run."""
    first: tuple[str, ...]
    """The first real run, after which all is up to date."""
    asked: Mapping[str, str]
    """What it is called with to learn that nothing is to be done, and how it says so."""
    not_said: str = ""
    """What it would say of something that it does."""


def _step(number: int) -> str:
    before = f"open('out/{number - 1}.txt').read() + " if number else ""
    return (
        "from common import told\n\n"
        f"with open('out/{number}.txt', 'w') as file:\n    file.write({before}told({number}))\n"
    )


def _sources(length: int) -> dict[str, str]:
    steps = {f"steps/step{number}.py": _step(number) for number in range(length)}
    common = {"steps/common.py": "def told(number):\n    return str(number)\n"}
    return {**common, **steps, "out/.gitkeep": ""}


def _of_dvc(length: int) -> dict[str, str]:
    parts = ["stages:"]
    for number in range(length):
        parts.append(f"  s{number}:\n    cmd: python steps/step{number}.py\n    deps:")
        parts.append(f"      - steps/step{number}.py\n      - steps/common.py")
        if number:
            parts.append(f"      - out/{number - 1}.txt")
        parts.append(f"    outs:\n      - out/{number}.txt")
    return {**_sources(length), "dvc.yaml": "\n".join(parts) + "\n"}


def _of_snakemake(length: int) -> dict[str, str]:
    parts = [f'rule all:\n    input: "out/{length - 1}.txt"\n']
    for number in range(length):
        before = f', "out/{number - 1}.txt"' if number else ""
        parts.append(
            f'rule s{number}:\n    input: "steps/step{number}.py", "steps/common.py"{before}\n'
            f'    output: "out/{number}.txt"\n    shell: "python steps/step{number}.py"\n'
        )
    return {**_sources(length), "Snakefile": "\n".join(parts), ".gitignore": ".snakemake\n"}


def _of_redun(length: int) -> dict[str, str]:
    parts = ['from redun import task\n\nredun_namespace = "chain"\n']
    for number in range(length):
        argument = "before" if number else ""
        result = f"before + str({number})" if number else "str(0)"
        parts.append(f"@task()\ndef step{number}({argument}):\n    return {result}\n")
    parts.append("@task()\ndef main():\n    made = step0()")
    parts += [f"    made = step{number}(made)" for number in range(1, length)]
    return {"workflow.py": "\n".join([*parts, "    return made\n"]), ".gitignore": ".redun\n"}


_UP_TO_DATE = "Data and pipelines are up to date"
PEERS = (
    Peer(
        "dvc",
        "3.67.1",
        _of_dvc,
        (("init", "--quiet"), ("config", "core.analytics", "false")),
        ("repro", "--quiet"),
        {"status": _UP_TO_DATE, "repro --dry": _UP_TO_DATE},
    ),
    Peer(
        "snakemake",
        "9.27.1",
        _of_snakemake,
        (),
        ("--cores", "1", "--quiet", "all"),
        {"-n": "Nothing to be done"},
    ),
    Peer(
        "redun",
        "0.44.1",
        _of_redun,
        (),
        ("run", "workflow.py", "main"),
        {"run workflow.py main": "Cached Job"},
        not_said="Run    Job",
    ),
)


@dataclass(frozen=True)
class Ready:
    """A peer that was installed and has run once, and the seconds of that run."""

    peer: Peer
    project: Path
    program: Path
    first_seconds: float

    def ways(self) -> dict[str, Way]:
        """Return its ways to know that nothing is to be done."""
        return {
            f"{self.peer.name} {arguments}": self._way(arguments.split(), said)
            for arguments, said in self.peer.asked.items()
        }

    def _way(self, arguments: list[str], said: str) -> Way:
        def way() -> None:
            done = run([self.program, *arguments], self.project, _environ(self.program))
            words = done.stdout + done.stderr
            if said not in words or (self.peer.not_said and self.peer.not_said in words):
                raise SystemExit(f"{self.peer.name} {arguments} does not say {said!r}:\n{words}")

        return way


def make_ready(peer: Peer, caches: Path, folder: Path, length: int) -> Ready:
    """Install the peer, make its chain and run it once; raises NotInstallableError."""
    root = caches / f"{peer.name}-{peer.version}"
    program = installed(root, [f"{peer.name}=={peer.version}"]) / peer.name
    project = repository(folder / peer.name, peer.files(length))
    for command in peer.prepare:
        run([program, *command], project, _environ(program))
    began = time.perf_counter()
    run([program, *peer.first], project, _environ(program))
    seconds = time.perf_counter() - began
    commit_all(project)
    return Ready(peer, project, program, seconds)


def _environ(program: Path) -> dict[str, str]:
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return plain_environ(PATH=path, **_QUIET)
