"""Environments as the ledger knows them: each build is written down, with all that was said."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.environment_builder import UNSUPERVISED
from pipeline.environment_locks import PYTHON, EnvironmentBuildError
from pipeline.environments import (
    Build,
    Builds,
    Environment,
    Lock,
    Supervision,
    adopted,
    build_of,
    environment_for,
)
from pipeline.installation import Installation
from provenance.identity.environment import EnvironmentFacts
from provenance.ledger.environments import (
    FAILED,
    INTERRUPTED,
    READY,
    NewBuild,
    begin_build,
    end_build,
    note_packages,
    state_of_build,
)
from provenance.text import storable

if TYPE_CHECKING:
    from pipeline.attempt import Attempt

_seen: set[tuple[Path, str]] = set()
"""Environments that this process knows the ledger to have: most runs then ask it nothing."""


def prepare_environment(attempt: "Attempt", lock: Lock) -> Environment:
    """Return the environment of a run; what is said while it is built goes into the run's log.

    Raises EnvironmentBuildError, which says where the whole log of the build is.
    """
    attempt.tell("environment", environment=lock.key)
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        attempt.hear(text)

    supervision = Supervision(attempt.marker, attempt.check, hear)
    try:
        return known_environment(attempt.installation, lock, supervision, attempt.claim.id)
    finally:
        attempt.build_log = "".join(said).encode(errors="replace")


def known_environment(
    installation: Installation,
    lock: Lock,
    supervision: Supervision = UNSUPERVISED,
    run_id: str | None = None,
) -> Environment:
    """Return the environment of *lock*, and see that the ledger knows it."""
    builds = _InLedger(installation, run_id)
    try:
        found = environment_for(installation.environments, lock, supervision, builds)
    except EnvironmentBuildError as error:
        raise _with_address(installation, lock, error) from error
    if (installation.home, lock.key) not in _seen:
        _make_known(installation, lock, found, builds)
        _seen.add((installation.home, lock.key))
    return found


def _with_address(
    installation: Installation, lock: Lock, error: EnvironmentBuildError
) -> EnvironmentBuildError:
    """Return the same error, with where the whole log is."""
    address = f"{installation.base_url}/environments/{lock.key}"
    whole = f"The whole log: {address}, or `provenote environments {lock.key[:12]} --log`."
    return EnvironmentBuildError(error.message, f"{error.hint} {whole}".strip())


def _make_known(
    installation: Installation, lock: Lock, found: Environment, builds: "_InLedger"
) -> None:
    """Write down a build that the ledger does not know, or takes for gone.

    It may be older than the ledger, or have been cleared away on another machine only.
    """
    build = build_of(found.root) or adopted(found.root, lock)
    with installation.ledger.reading() as session:
        state = state_of_build(session, build.id)
    log = found.root.with_name(f"{found.root.name}.log")
    if state is None:
        builds.begins(lock, build, log)
    if state != READY:
        builds.ends(build, log, found.facts)


class _InLedger(Builds):
    """Writes builds into the ledger, and their logs into the store."""

    def __init__(self, installation: Installation, run_id: str | None) -> None:
        self._installation = installation
        self._run_id = run_id

    def begins(self, lock: Lock, build: Build, log: Path) -> None:
        """Write down that a build began; of one that was interrupted keep what it said."""
        new = NewBuild(
            build.id, lock.key, lock.name, PYTHON, build.platform, build.host, self._run_id
        )
        before = self._kept(log)
        with self._installation.ledger.writing() as session:
            begin_build(session, new, build.at(), before)

    def ends(self, build: Build, log: Path, came: EnvironmentFacts | BaseException) -> None:
        """Write down what came of a build."""
        values: dict[str, Any] = {
            "seconds": build.seconds,
            "log": self._kept(log),
            "collected_at": None,
        }
        if isinstance(came, EnvironmentFacts):
            values |= {"state": READY, "size": build.size}
        elif isinstance(came, EnvironmentBuildError):
            told = {"message": came.message, "hint": came.hint}
            values |= {"state": FAILED, "error": storable(told)}
        else:
            values |= {"state": INTERRUPTED}
        with self._installation.ledger.writing() as session:
            end_build(session, build.id, values)
            if isinstance(came, EnvironmentFacts):
                packages = {one.name: one.version for one in came.distributions}
                note_packages(session, build.id, packages)

    def _kept(self, log: Path) -> str | None:
        with contextlib.suppress(FileNotFoundError):
            return self._installation.store.put_bytes(log.read_bytes()).sha256
        return None
