"""Where a bench takes place: a temporary directory, and what all of its rows share."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipeline.environments import Environment, environment_for, lock_of
from pipeline.repository.tree import MemoryTree
from tests.bench.peers.by_hand import ByHand, install_by_hand
from tests.bench.small_report import make_project


@dataclass
class Place:
    """A temporary directory that goes when the bench ends, however it ends."""

    folder: Path
    left_out: dict[str, str] = field(default_factory=dict)
    """Peers that have no place here, each with the reason."""

    @property
    def caches(self) -> Path:
        """The folder below the user's cache in which peers and environments are kept."""
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return caches / "provenote-bench"

    def new(self, name: str) -> Path:
        """Make a directory of its own for *name*."""
        target = self.folder / name
        target.mkdir(parents=True)
        return target

    @cached_property
    def environments(self) -> Path:
        """The folder of environments that all homes share, kept from bench to bench."""
        return self.caches / "environments"

    @cached_property
    def environment(self) -> Environment:
        """The default environment, in which reports of the bench are executed."""
        return environment_for(self.environments, lock_of(MemoryTree({}), None))

    @cached_property
    def project(self) -> Path:
        """The repository with the small report."""
        return make_project(self.new("small-report"))

    @cached_property
    def by_hand(self) -> ByHand:
        """Papermill and nbconvert, called by hand."""
        return install_by_hand(self.caches)

    def leave_out(self, peer: str, reason: str) -> None:
        """Say that *peer* is not measured."""
        self.left_out[peer] = reason
        print(f"{peer} is left out: {reason}")
