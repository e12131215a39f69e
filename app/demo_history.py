"""The demo's repository, grown commit by commit from the example and its earlier states."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from provenance.errors import UnavailableError

BRANCH = "main"
LEFTOVERS = frozenset({"__pycache__", ".provenote", ".ipynb_checkpoints"})
SECONDS = 60.0


class DemoGitError(UnavailableError):
    """Raised when git is missing or does not do what making the demo needs."""

    code = "demo_git"


def grow_repository(
    examples: Path, commits: Sequence[Mapping[str, Any]], folder: Path, final: Path
) -> tuple[str, ...]:
    """Make ``flights.git`` and its clone ``flights`` in *folder*; return the commits' names.

    The clone's origin is given as below *final*, where *folder* is going to be moved.
    Files, authors and dates are fixed, hence so are the names of the commits.
    """
    repository, clone = folder / "flights.git", folder / "flights"
    _git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", "--template=", str(repository))
    (repository / "hooks").mkdir()
    stream = b"".join(_stream(examples, commits))
    _git("-C", str(repository), "fast-import", "--quiet", "--done", stdin=stream)
    _git("clone", "--quiet", "--template=", str(repository), str(clone))
    _git("-C", str(clone), "remote", "set-url", "origin", str(final / repository.name))
    names = _git("-C", str(repository), "rev-list", "--reverse", BRANCH).decode().split()
    return tuple(names)


def _stream(examples: Path, commits: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield the commits in the form that ``git fast-import`` reads."""
    final = _files(examples / "flights")
    for commit in commits:
        written: datetime = commit["date"]
        who = f"{commit['author']} {int(written.timestamp())} {written:%z}".encode()
        yield b"commit refs/heads/%s\n" % BRANCH.encode()
        yield b"author %s\ncommitter %s\n" % (who, who)
        yield _data(commit["message"].strip().encode() + b"\n")
        yield b"deleteall\n"
        for path, content in _state(examples, final, commit):
            yield b"M 100644 inline %s\n" % path.encode() + _data(content)
    yield b"done\n"


def _state(
    examples: Path, final: Mapping[str, bytes], commit: Mapping[str, Any]
) -> list[tuple[str, bytes]]:
    """Return the files of *commit*: the example's, but for those that were different then."""
    state = dict(final)
    for folder in commit["earlier"]:
        state |= _files(examples / "history" / folder)
    return sorted(state.items())


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not LEFTOVERS.intersection(path.relative_to(folder).parts)
    }


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _git(*arguments: str, stdin: bytes = b"") -> bytes:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(
            command, input=stdin, env=environment, capture_output=True, timeout=SECONDS, check=True
        )
    except FileNotFoundError as error:
        raise DemoGitError("git is not installed.", "Install git and try again.") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise DemoGitError(f"git {arguments[0]} failed while making the demo: {said}") from error
    return done.stdout
