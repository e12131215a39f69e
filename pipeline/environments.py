"""The virtual environments in which users' code runs: built by uv, kept by what they are made of.

Each holds what the project's lock names, a Jupyter kernel, and the SDK; never anything else of
ours. The facts file is the last thing written into one, so one that has it is whole.
"""

import json
import platform
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.environment_builder import UNSUPERVISED, Builder, BuildLog, Supervision
from pipeline.environment_locks import EnvironmentBuildError, Lock, lock_of
from pipeline.installed import FACTS, describe, installed_now
from provenance.holding import Hold
from provenance.identity.environment import EnvironmentFacts
from provenance.ledger.ids import new_id
from provenance.sweep import Place, size_of

__all__ = [
    "Build",
    "Environment",
    "EnvironmentBuildError",
    "Lock",
    "Supervision",
    "adopted",
    "build_of",
    "environment_for",
    "environment_there",
    "folder_of",
    "lock_of",
    "place_of",
]
BUILD = "provenote-build.json"
KEY_DIGITS = 24
"""Digits of its key that an environment's folder is called by."""
UNUSED_DAYS = 30.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Environment:
    """A virtual environment that is ready for use, and stays for as long as this value lives."""

    key: str
    root: Path
    facts: EnvironmentFacts
    held: Hold | None = field(default=None, compare=False, repr=False)

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.root / "bin" / "python"


@dataclass(frozen=True)
class Build:
    """One build as it lies with its environment; ``seconds`` and ``size`` (bytes) at its end."""

    id: str
    source: str
    host: str
    platform: str
    started_at: str
    seconds: float | None = None
    size: int | None = None

    def at(self) -> datetime:
        """Return when it began."""
        return datetime.fromisoformat(self.started_at)


class Builds:
    """Hears of a build as it begins and ends; this one keeps no record of any."""

    def begins(self, lock: Lock, build: Build, log: Path) -> None:
        """Hear that *lock* is being built; *log* still holds what was said the time before."""

    def ends(self, build: Build, log: Path, came: EnvironmentFacts | BaseException) -> None:
        """Hear what came of it."""


_UNRECORDED = Builds()


def folder_of(home: Path, key: str) -> Path:
    """Return where the environment with that key lies below *home*."""
    return home / key[:KEY_DIGITS]


def place_of(home: Path, days: float = UNUSED_DAYS) -> Place:
    """Return what may be cleared away of the environments in *home*, unused for *days*."""
    beside = (".log", ".lock", ".used")
    return Place("environment", home, 1, days, held=True, whole=FACTS, beside=beside)


def environment_for(
    home: Path, lock: Lock, supervision: Supervision = UNSUPERVISED, builds: Builds = _UNRECORDED
) -> Environment:
    """Return the environment of *lock* below *home*, building it if it is not there.

    Raises EnvironmentBuildError with the words of whatever could not build it.
    """
    root = folder_of(home, lock.key)
    home.mkdir(parents=True, exist_ok=True)
    held = Hold(root)  # before we look: from here on nobody clears it away
    facts_file = root / FACTS
    if not facts_file.exists():
        with _only_builder(root.with_name(f"{root.name}.lock"), supervision):
            if not facts_file.exists():
                _build(root, lock, supervision, builds)
    return Environment(lock.key, root, installed_now(root), held)


def environment_there(home: Path, lock: Lock) -> Environment | None:
    """Return the environment of *lock* below *home* where it is built already."""
    facts_file = folder_of(home, lock.key) / FACTS
    if not facts_file.exists():
        return None
    root = facts_file.parent
    held = Hold(root)
    # It may have been cleared away just before we held it.
    return Environment(lock.key, root, installed_now(root), held) if facts_file.exists() else None


@contextmanager
def _only_builder(path: Path, supervision: Supervision) -> Iterator[None]:
    """Hold the lock under which an environment is built; waits for another's build."""
    from filelock import FileLock  # slow to import, and mostly nothing is built

    lock, others = FileLock(path), _Follower(path.with_suffix(".log"))
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_POLL_SECONDS)
        except TimeoutError:
            supervision.check()
            if said := others.news():
                supervision.hear(said)
    try:
        yield
    finally:
        lock.release()


class _Follower:
    """Follows the log of a build that somebody else is at."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._place = 0

    def news(self) -> str:
        """Return the whole lines that were added since the last time."""
        begins = "" if self._place else "── Somebody else builds it already, and says:\n"
        try:
            with self._log.open("rb") as file:
                file.seek(self._place)
                lines = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return ""
        self._place += len(lines[0]) + len(lines[1])
        said = lines[0].decode(errors="replace")
        return f"{begins}{said}\n" if said else ""


def _build(root: Path, lock: Lock, supervision: Supervision, builds: Builds) -> None:
    log = root.with_name(f"{root.name}.log")
    now = datetime.now(UTC).isoformat()
    build = Build(new_id("build"), lock.name, socket.gethostname(), platform.platform(), now)
    builds.begins(lock, build, log)
    started = time.monotonic()

    def keep(root: Path) -> EnvironmentFacts:
        nonlocal build
        told = {**vars(build), "seconds": _since(started), "size": size_of(root)}
        build = Build(**told)
        (root / BUILD).write_text(json.dumps(told))
        return describe(root)

    try:
        with log.open("wb") as file:
            builder = Builder(root, lock, supervision, BuildLog(file, supervision.hear))
            came = builder.build(keep)
    except BaseException as error:
        builds.ends(Build(**{**vars(build), "seconds": _since(started)}), log, error)
        raise
    builds.ends(build, log, came)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


def adopted(root: Path, lock: Lock) -> Build:
    """Let an environment tell of its build that does not: it is from before they did."""
    at = datetime.fromtimestamp((root / FACTS).stat().st_mtime, UTC).isoformat()
    host, size = socket.gethostname(), size_of(root)
    build = Build(new_id("build"), lock.name, host, platform.platform(), at, size=size)
    (root / BUILD).write_text(json.dumps(vars(build)))
    return build


def build_of(root: Path) -> Build | None:
    """Return the build that made the environment at *root*; None where it does not say."""
    try:
        told: dict[str, Any] = json.loads((root / BUILD).read_text())
        return Build(**told)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
