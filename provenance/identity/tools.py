"""What a program outside the project is: where it lies, its version, its packages."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from provenance.errors import NotFoundError, UnavailableError
from provenance.identity.asking import ask, may_be_asked

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
    """A program: its real path, what ``--version`` says, its bytes' SHA-256.

    ``version`` is empty where the program says none; then ``sha256`` alone tells it.
    """

    path: str
    version: str
    sha256: str

    def keyed(self) -> dict[str, object]:
        """Return what of it belongs into a key."""
        return {"path": self.path, "version": self.version, "sha256": self.sha256}


_tools: dict[tuple[object, ...], ToolFacts] = {}
_libraries: dict[tuple[object, ...], tuple[str, ...]] = {}


def tool_facts(program: str, path: str, users: Sequence[Path] = ()) -> ToolFacts:
    """Return what *program* is, looked up along *path* (as in ``PATH``).

    Only what is installed is asked for its version: nothing below the folders *users*, which
    hold users' code, and nothing that anybody may have put where it lies. Such a program is
    told by its bytes. Remembered in this process until its file changes. Raises
    UnknownProgramError, and NoAnswerError where it does not end in time, which is not remembered.
    """
    found, known = _lookup(program, path)
    asked = may_be_asked(found, path, users)
    if (known, asked) not in _tools:
        real = os.path.realpath(found)
        # Started by the name that was found: a program may look at how it was called.
        said = ask([found, "--version"], path, _MOST_SAID) if asked else None
        with Path(real).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if len(_tools) >= _REMEMBERED:
            _tools.clear()
        _tools[known, asked] = ToolFacts(real, _first_lines(said or ""), sha256)
    return _tools[known, asked]


def r_packages(
    rscript: str,
    path: str,
    names: Iterable[str],
    *,
    everything: bool = False,
    users: Sequence[Path] = (),
) -> dict[str, str]:
    """Return ``{package: "version record:digits"}`` of *names* and all that they need.

    Names that no library of this R holds (misspelt ones) are left out. With *everything* all
    installed packages count. Raises UnknownProgramError; LibraryError also where *rscript* may
    not be asked, see ``tool_facts``.
    """
    folders = [Path(folder) for folder in _r_libraries(rscript, path, users)]
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
    # The time of change as well: who replaces a file can put back the time of modification.
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return found, (program, found, os.path.realpath(found), status.st_ino, *times, status.st_size)


def _first_lines(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[:_LINES])


def _r_libraries(rscript: str, path: str, users: Sequence[Path]) -> tuple[str, ...]:
    found, known = _lookup(rscript, path)
    if not may_be_asked(found, path, users):
        raise LibraryError(
            f"{found} is not asked where its packages lie: others could have put it there.",
            f"Install R in a folder of {path}, or where only root and the workers may write.",
        )
    if known not in _libraries:
        argv = [found, "--vanilla", "-e", r"cat('\n', .libPaths(), sep = '\n')"]
        said = ask(argv, path, _MOST_SAID) or ""
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
