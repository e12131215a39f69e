"""One at a time: of all who want to make the same key, one does and the others wait."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.files import make_folder
from provenance.ledger.leases import Lease, Leases

if TYPE_CHECKING:
    from filelock import FileLock

_WAIT_SECONDS = 0.2


@dataclass(frozen=True)
class Flight:
    """Turns at making a key: on this host by a lock, and across hosts by a lease as well.

    The lock wakes those who wait at once, and is free when its holder is killed. The lease
    is what counts where there is one: it runs out under a worker that was stopped, which
    keeps its lock, and then another goes on without the lock.
    """

    locks: Path
    leases: Leases | None = None

    @contextmanager
    def turn(self, key: str, on_wait: Callable[[], None]) -> Iterator[Lease | None]:
        """Wait for our turn at *key* and hold it; *on_wait* may raise to give up."""
        from filelock import FileLock  # slow to import, and to look locks nothing

        make_folder(self.locks)
        lock = FileLock(self.locks / key)
        try:
            if self.leases is None:
                self._wait_for_lock(lock, on_wait)
                yield None
            else:
                lease = self._wait_for_lease(self.leases, lock, on_wait)
                with self.leases.kept(lease):
                    yield lease
        finally:
            lock.release()

    def _wait_for_lock(self, lock: "FileLock", on_wait: Callable[[], None]) -> None:
        while not _locked(lock):
            on_wait()

    def _wait_for_lease(
        self, leases: Leases, lock: "FileLock", on_wait: Callable[[], None]
    ) -> Lease:
        key, place = Path(lock.lock_file).name, self._place()
        began = time.monotonic()
        while True:
            locked = _locked(lock)
            patience = time.monotonic() - began < leases.seconds
            lease = leases.take(key, place, locked=locked, patience=patience)
            if lease is not None:
                return lease
            on_wait()
            if locked:
                time.sleep(_WAIT_SECONDS)  # it is another host's

    def _place(self) -> str:
        """Return what tells this folder of locks from others that the host may have."""
        found = self.locks.stat()
        return f"{found.st_dev:x}-{found.st_ino:x}"


def _locked(lock: "FileLock") -> bool:
    if not lock.is_locked:
        try:
            lock.acquire(timeout=_WAIT_SECONDS, poll_interval=0.02)
        except TimeoutError:
            return False
    return True
