"""Starting users' code apart from ours, and really ending what it started.

What is here contains accidents, not enemies: a private place, an environment of its own, and
no process left behind. A supervising process is made the reaper of everything below it, so
that a daemonised grandchild can be found and ended like any other child.
"""

import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

MARKER = "PROVENOTE_ATTEMPT"
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_INHERITED = ("LANG", "LC_ALL", "TZ")
RESULTS = "PROVENOTE_RESULTS"


def program_path(venv: Path) -> str:
    """Return where users' code finds programs: the environment's own first, then the system's."""
    return os.pathsep.join([str(venv / "bin"), "/usr/local/bin", os.defpath])


@cache
def this_host() -> str:
    """Return a name for what shares our process numbers: the host and its pid namespace."""
    namespace = Path("/proc/self/ns/pid")
    inode = namespace.stat().st_ino if namespace.exists() else 0
    return f"{socket.gethostname()}-{inode:x}"


def end_with_parent(number: signal.Signals) -> None:
    """Let this process get the signal *number* as soon as the one that started it is gone."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)


def become_supervisor() -> None:
    """Make this process end with its parent, and reap all that is started below it."""
    parent = os.getppid()
    end_with_parent(signal.SIGKILL)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:  # the parent was gone before the signal was asked for
        os._exit(1)


def end_descendants(grace: float = 0.0) -> int:
    """End every process below this one and return how many there were.

    Each is asked to terminate first where *grace* seconds are given. New ones that appear
    meanwhile are found too: the sweep repeats until nothing is left.
    """
    ended = 0
    deadline = time.monotonic() + grace
    while living := psutil.Process().children(recursive=True):
        stop = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
        ended += len(living)
        for child in living:
            with contextlib.suppress(psutil.Error):
                child.send_signal(stop)
        psutil.wait_procs(living, timeout=0.05 if stop == signal.SIGKILL else grace)
    return ended


def end_tree(pid: int) -> None:
    """Kill the process *pid* and all below it; for one that no longer ends by itself."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(family, timeout=5.0)


def marked_processes(prefix: str) -> dict[int, str]:
    """Return processes whose marker starts with *prefix*: their pids and whole markers."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            marker = process.environ().get(MARKER, "")
            if marker.startswith(prefix):
                found[process.pid] = marker
    return found


def socket_directory(marker: str) -> Path:
    """Return the directory for sockets of the attempt with this marker.

    The name of a socket may have no more than about a hundred bytes, so the directory
    cannot lie in a home that may be anywhere.
    """
    name = hashlib.sha256(marker.encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"pn-{os.getuid()}-{name}"


@dataclass(frozen=True)
class Workplace:
    """The private directory of one attempt: everything users' code may write lies below it."""

    root: Path
    marker: str

    @property
    def current(self) -> Path:
        """Working directory of users' code."""
        return self.root / "cwd"

    @property
    def inputs(self) -> Path:
        """Where the declared inputs are laid: ``inputs/`` as seen from the working directory."""
        return self.current / "inputs"

    @property
    def outputs(self) -> Path:
        """Where users' code leaves its outputs."""
        return self.root / "outputs"

    @property
    def results(self) -> Path:
        """Where the SDK notes metrics and checks, one JSON document a line."""
        return self.root / "results.jsonl"

    @property
    def observed(self) -> Path:
        """Where the SDK notes which files of the checkout were opened."""
        return self.root / "observed.jsonl"

    @property
    def log(self) -> Path:
        """What users' code printed."""
        return self.root / "log.txt"

    def make(self) -> None:
        """Make the directory and those in it, readable for us alone."""
        self.root.mkdir(parents=True, mode=0o700)
        for name in ("cwd/inputs", "outputs", "home", "tmp"):
            (self.root / name).mkdir(parents=True)

    @property
    def sockets(self) -> Path:
        """Where the attempt's sockets lie: a short path, since their names are limited."""
        return socket_directory(self.marker)

    def remove(self) -> None:
        """Remove the directory and all in it, and the sockets of its attempt."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def environment(self, venv: Path, extra: Mapping[str, str]) -> dict[str, str]:
        """Return the whole environment that users' code gets: an allowlist, nothing of ours.

        Hash randomisation is off, so that the order of a set is no reason for two results
        to differ. No bytecode is written: a checkout is shared, and a working tree is clean
        afterwards if it was so before.
        """
        kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return {
            **kept,
            "PATH": program_path(venv),
            "VIRTUAL_ENV": str(venv),
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "IPYTHONDIR": str(self.root / "home" / ".ipython"),
            "JUPYTER_NO_CONFIG": "1",
            "MPLCONFIGDIR": str(venv / "cache" / "matplotlib"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONUNBUFFERED": "1",
            MARKER: self.marker,
            **extra,
        }
