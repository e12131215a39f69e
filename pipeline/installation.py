"""Where one provenote installation keeps its things."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipeline.host import this_host
from pipeline.isolation import IsolationWanted
from pipeline.kernels.trust import KernelTrust
from pipeline.workplace import sockets_root
from provenance.cache import Cache
from provenance.ledger.engine import Ledger
from provenance.ledger.leases import SECONDS, Leases
from provenance.store import Store


@dataclass(frozen=True)
class Limits:
    """Bounds that the operator sets for every run; sizes are in bytes, and of one job."""

    run_seconds: float = 3600.0
    cell_seconds: float = 1800.0
    git_seconds: float = 120.0
    memory: int = 8 * 10**9
    processes: int = 1_000
    disk: int = 50 * 10**9
    open_files: int = 65_536
    output: int = 100 * 10**6


@dataclass(frozen=True)
class Installation:
    """The places and services that the pipeline works with; made once, at the edge."""

    home: Path
    ledger: Ledger
    store: Store
    base_url: str
    source_urls: "SourceUrls"
    limits: Limits = Limits()
    isolation: IsolationWanted = field(default_factory=IsolationWanted)
    allow_file_repositories: bool = False
    lease_seconds: float = SECONDS

    @cached_property
    def cache(self) -> Cache:
        """What was made before, by key."""
        return Cache(self.store, Leases(self.ledger, this_host(), self.lease_seconds))

    @cached_property
    def kernel_trust(self) -> KernelTrust:
        """Which warm kernels may be used."""
        return KernelTrust(self.ledger)

    @property
    def private(self) -> tuple[Path, ...]:
        """What no code of users has any business in: the home, the store, others' sockets."""
        return self.home, self.store.root, sockets_root()

    @property
    def mirrors(self) -> Path:
        """Bare mirrors, one a project."""
        return self.home / "mirrors"

    @property
    def checkouts(self) -> Path:
        """Read-only checkouts, one a commit."""
        return self.home / "checkouts"

    @property
    def environments(self) -> Path:
        """Virtual environments of projects, one a lock."""
        return self.home / "environments"

    @property
    def work(self) -> Path:
        """Private directories of attempts that are under way on this host."""
        return self.home / "work" / this_host()

    @property
    def locks(self) -> Path:
        """Lock files of this host."""
        return self.home / "locks"


@dataclass(frozen=True)
class SourceUrls:
    """Database addresses of sources, by the variable that a manifest names (``url_env``).

    They are the operator's secrets: never shown, never recorded, never in a user process.
    """

    by_variable: dict[str, str]

    def __repr__(self) -> str:
        return f"SourceUrls({', '.join(sorted(self.by_variable))})"
