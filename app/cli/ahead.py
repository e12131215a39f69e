"""What a run needs in any case, started while the command itself is still being imported.

The runner imports papermill and nbconvert; the kernel host imports what the run before this one,
in the same directory, had imported. Both take longer than all that the command does before it
needs them. A host that turns out to be another than is needed is ended unused.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from app.homes import default_home
from app.work.owner import owner_name
from pipeline.kernels.failures import NoHostError
from pipeline.kernels.hosts import KernelHosts, hosts_marker
from pipeline.kernels.wanted import HostWanted
from pipeline.runner.client import Runner


@dataclass(frozen=True)
class Ahead:
    """What was started ahead; it ends with the command."""

    runner: Runner
    hosts: KernelHosts
    note: Path
    """Where is kept which host the last run in this directory wanted."""

    def remember(self) -> None:
        """Keep which host was wanted, for the next command here."""
        wanted = self.hosts.newest
        if wanted is None or wanted == _last(self.note):
            return
        with contextlib.suppress(OSError):
            self.note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = self.note.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(asdict(wanted)), encoding="utf-8")
            temporary.replace(self.note)


@contextmanager
def started_ahead() -> Iterator[Ahead]:
    """Start a runner, and the host that was wanted here last; end them with the block."""
    home = Path(os.environ.get("PROVENOTE_HOME") or default_home()).expanduser().absolute()
    runner, hosts = Runner(), KernelHosts(hosts_marker(home, owner_name()))
    name = hashlib.sha256(os.fsencode(Path.cwd())).hexdigest()[:16]
    ahead = Ahead(runner, hosts, home / "hosts" / f"{name}.json")
    try:
        runner.start()
        wanted = _last(ahead.note)
        if wanted is not None and wanted.python.exists():
            with contextlib.suppress(NoHostError):
                runner.prepare(str(hosts.door(wanted)))
        yield ahead
        ahead.remember()
    finally:
        runner.stop()
        hosts.stop()


def _last(note: Path) -> HostWanted | None:
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        return HostWanted(**{**told, "preload": tuple(told["preload"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
