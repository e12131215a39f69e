"""What a program outside the project is: where it lies, its version, its packages."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from provenance.errors import NotFoundError, UnavailableError

_SECONDS = 10
"""Long enough for a loaded machine: a version that is told only sometimes changes keys."""
_MOST_SAID = 2_000
_LINES = 3
_REMEMBERED = 200
_DIGITS = 16
# What differs from one installation of the same package to the next.
_OF_THE_PLACE = ("Built:", "Packaged:", "RemotePkgRef:", "Repository:")
_NEEDS = ("Depends:", "Imports:", "LinkingTo:")


class UnknownProgramError(NotFoundError):
    """Raised when a command names a program that is not installed."""

    code = "unknown_program"


class LibraryError(UnavailableError):
    """Raised when R does not say where its packages lie."""

    code = "r_library"


@dataclass(frozen=True)
class ToolFacts:
    """A program: its name in argv, its real path, what ``--version`` says, its bytes' SHA-256.

    ``version`` is empty where the program says none; then ``sha256`` alone tells it.
    """

    program: str
    path: str
    version: str
    sha256: str

    def keyed(self) -> dict[str, object]:
        """Return what of it belongs into a key."""
        return {"path": self.path, "version": self.version, "sha256": self.sha256}


_tools: dict[tuple[object, ...], ToolFacts] = {}
_libraries: dict[tuple[object, ...], tuple[str, ...]] = {}


def tool_facts(program: str, path: str) -> ToolFacts:
    """Return what *program* is, looked up along *path* (as in ``PATH``).

    Remembered in this process until its file changes. Raises UnknownProgramError. Not for a
    program of the project's own, which is part of the command's closure: it would be executed.
    """
    found, known = _lookup(program, path)
    if known not in _tools:
        real = os.path.realpath(found)
        # Started by the name that was found: a program may look at how it was called.
        said = _first_lines(_said([found, "--version"], path))
        with Path(real).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if len(_tools) >= _REMEMBERED:
            _tools.clear()
        _tools[known] = ToolFacts(program, real, said, sha256)
    return _tools[known]


def r_packages(
    rscript: str, path: str, names: Iterable[str], *, everything: bool = False
) -> dict[str, str]:
    """Return ``{package: "version record:digits"}`` of *names* and all that they need.

    Names that no library of this R holds (base packages, misspelt ones) are left out. With
    *everything* all installed packages count. Raises UnknownProgramError, LibraryError.
    """
    folders = [Path(folder) for folder in _r_libraries(rscript, path)]
    waiting = [*names]
    if everything:
        waiting += [file.parent.name for folder in folders for file in folder.glob("*/DESCRIPTION")]
    found: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name not in found and (text := _description(folders, name)) is not None:
            found[name] = _package_version(text)
            waiting += _needed(text)
    return dict(sorted(found.items()))


def _lookup(program: str, path: str) -> tuple[str, tuple[object, ...]]:
    found = shutil.which(program, path=path) if program else None
    if found is None or ("/" in program and not program.startswith("/")):
        raise UnknownProgramError(
            f"There is no program {program!r} in {path or 'an empty PATH'}.",
            "Install it where the workers run, or correct the first word of the command.",
        )
    status = Path(found).stat()
    return found, (program, found, os.path.realpath(found), status.st_mtime_ns, status.st_size)


def _said(argv: list[str], path: str) -> str:
    """Return what a program prints; nothing where it does not end in time."""
    with tempfile.TemporaryFile() as output:
        # A file and no pipe: what the program leaves running could keep a pipe open for ever.
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": path, "LC_ALL": "C", "HOME": "/nonexistent"},
            start_new_session=True,
        )
        try:
            ended_well = process.wait(_SECONDS) == 0
        except subprocess.TimeoutExpired:
            ended_well = False
        finally:
            _end(process)
        output.seek(0)
        return output.read(_MOST_SAID).decode(errors="replace") if ended_well else ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):  # it ended with all that it started
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _first_lines(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[:_LINES])


def _r_libraries(rscript: str, path: str) -> tuple[str, ...]:
    found, known = _lookup(rscript, path)
    if known not in _libraries:
        said = _said([found, "--vanilla", "-e", r"cat('\n', .libPaths(), sep = '\n')"], path)
        folders = tuple(line for line in said.splitlines() if line.startswith("/"))
        if not folders:
            raise LibraryError(f"{found} does not say where its packages lie.", "Does it start?")
        _libraries[known] = folders
    return _libraries[known]


def _description(folders: Iterable[Path], name: str) -> str | None:
    if not re.fullmatch(r"[A-Za-z][\w.]*", name):
        return None
    for folder in folders:
        try:
            return (folder / name / "DESCRIPTION").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None


def _package_version(description: str) -> str:
    kept = [line for line in description.splitlines() if not line.startswith(_OF_THE_PLACE)]
    digest = hashlib.sha256("\n".join(kept).encode()).hexdigest()
    return f"{_fields(description).get('Version:', '')} record:{digest[:_DIGITS]}"


def _needed(description: str) -> list[str]:
    fields = _fields(description)
    listed = ",".join(fields.get(need, "") for need in _NEEDS)
    return [name for part in listed.split(",") if (name := part.partition("(")[0].strip()) != "R"]


def _fields(description: str) -> Mapping[str, str]:
    """Read the fields of a DESCRIPTION; a line that begins with a blank goes on with the last."""
    unfolded = re.sub(r"\n[ \t]+", " ", description)
    pairs = (line.partition(" ") for line in unfolded.splitlines())
    return {name: value.strip() for name, _, value in pairs}
