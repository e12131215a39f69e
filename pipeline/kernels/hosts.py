"""Kernel hosts: processes in projects' environments that fork kernels, and end with their owner."""

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import structlog

from pipeline.kernels.doors import is_open
from pipeline.kernels.failures import NoHostError
from pipeline.kernels.wanted import HostWanted
from pipeline.workplace import MARKER, base_environment, make_sockets_root, sockets_root
from provenance.files import remove_tree

_log = structlog.get_logger()
DOOR = "door"
_PLACES = "h"
"""How the names of hosts' directories begin, among those of all sockets."""
_FRESH_SECONDS = 600.0
"""A directory that was touched since may belong to a kernel whose host is gone."""
KERNELS = "kernels"
"""Marks the processes of hosts, in the place where those of attempts have the id of their run."""


def hosts_marker(home: Path, owner: str) -> str:
    """Return what the hosts of a worker called *owner* are marked with, and all they fork."""
    return f"{home}:{KERNELS}:{owner}"


@dataclass(frozen=True)
class HostLimits:
    """How much waits for work that may never come."""

    hosts: int = 4
    """How many hosts live side by side; the one that was idle longest gives way."""
    kernels: int = 64
    """How many kernels of one host, waiting or at work."""
    idle_seconds: float = 900.0
    """After how long without a run a host ends."""
    memory_bytes: int = 4 * 1024**3
    """How much memory a host itself may have; one that has more is started afresh."""


@dataclass
class _Host:
    wanted: HostWanted
    process: "subprocess.Popen[bytes]"
    line: int
    """The end of a pipe: the host ends when it is closed, in whatever way we go."""
    place: Path
    used: float = field(default_factory=time.monotonic)

    @property
    def door(self) -> Path:
        return self.place / DOOR

    def close(self) -> None:
        """Let the host end; what it has forked ends when its client lets go."""
        with contextlib.suppress(OSError):
            os.close(self.line)
        if not _has_children(self.process.pid):
            self.process.kill()  # nobody has asked it for anything; it may import for seconds yet
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5.0)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(OSError):
            self.door.unlink(missing_ok=True)

    def clear(self) -> bool:
        """Remove its directory, unless kernels still have their sockets there; tell whether."""
        with contextlib.suppress(OSError):
            self.place.rmdir()
        return not self.place.exists()


class KernelHosts:
    """The hosts of one worker, or of one command; may be asked by several threads."""

    def __init__(self, marker: str, limits: HostLimits = HostLimits()) -> None:
        self._marker = marker
        self._limits = limits
        self._hosts: dict[HostWanted, _Host] = {}
        self._ended: list[_Host] = []
        """Hosts whose directory is still in use by a kernel that they have forked."""
        self._lock = threading.Lock()

    def door(self, wanted: HostWanted) -> Path:
        """Return the socket at which a host like that answers, starting it if there is none.

        It may still be importing; who connects waits for that. Raises NoHostError.
        """
        with self._lock:
            self._tend(wanted)
            host = self._hosts.get(wanted)
            if host is None:
                host = self._hosts[wanted] = self._started(wanted)
            host.used = time.monotonic()
            return host.door

    @property
    def newest(self) -> HostWanted | None:
        """What the host is like that was asked for last; None where there is none."""
        with self._lock:
            return max(self._hosts, key=lambda one: self._hosts[one].used, default=None)

    def tend(self) -> None:
        """End hosts that are idle, outgrown, or dead; to be called now and then."""
        with self._lock:
            self._tend(None)

    def stop(self) -> None:
        """End all hosts, when nobody needs a kernel of theirs any more."""
        with self._lock:
            for wanted in list(self._hosts):
                self._end(wanted)
            for host in self._ended:
                remove_tree(host.place)

    def _end(self, wanted: HostWanted) -> None:
        host = self._hosts.pop(wanted)
        host.close()
        self._ended = [one for one in (*self._ended, host) if not one.clear()]

    def _tend(self, wanted: HostWanted | None) -> None:
        for one, host in list(self._hosts.items()):
            if reason := self._outlived(host, wanted):
                _log.info("kernel host ends", reason=reason, environment=one.venv)
                self._end(one)
        room = self._limits.hosts - (wanted is not None and wanted not in self._hosts)
        for one in sorted(self._hosts, key=lambda one: self._hosts[one].used)[: -room or None]:
            if len(self._hosts) > room:
                self._end(one)

    def _outlived(self, host: _Host, wanted: HostWanted | None) -> str | None:
        if host.process.poll() is not None:
            return "it died"
        other = wanted is not None and host.wanted.venv == wanted.venv
        if other and wanted is not None and host.wanted.stamp != wanted.stamp:
            return "its environment has changed"
        if host.wanted != wanted and time.monotonic() - host.used > self._limits.idle_seconds:
            return "it was idle"
        if _resident(host.process.pid) > self._limits.memory_bytes:
            return "it has grown too large"
        return None

    def _started(self, wanted: HostWanted) -> _Host:
        place = None
        ends, line = os.pipe()
        try:
            place = _place()
            process = self._process(wanted, place, ends)
        except OSError as error:  # no room, or a directory for temporary files with a long name
            os.close(line)
            if place is not None:
                shutil.rmtree(place, ignore_errors=True)
            raise NoHostError(f"No kernel host can be started: {error}.") from error
        finally:
            os.close(ends)
        return _Host(wanted, process, line, place)

    def _process(self, wanted: HostWanted, place: Path, ends: int) -> "subprocess.Popen[bytes]":
        # It is we who listen at first: who connects while the host still starts is not refused.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.bind(str(place / DOOR))
            door.listen(64)
            spec = {
                "door": door.fileno(),
                "parent": ends,
                "idle": None,
                "preload": wanted.preload,
                "isolation": {"network": wanted.network} if wanted.isolated else None,
                "most": self._limits.kernels,
            }
            return subprocess.Popen(
                [str(wanted.python), "-P", "-m", "provenote._host", json.dumps(spec)],
                cwd=place,
                env={**base_environment(Path(wanted.venv), place), MARKER: self._marker},
                stdin=subprocess.DEVNULL,
                pass_fds=(door.fileno(), ends),
                start_new_session=True,
            )


def _place() -> Path:
    """Make a private directory whose path is short: names of sockets are limited."""
    name = hashlib.sha256(uuid.uuid4().bytes).hexdigest()[:10]
    place = make_sockets_root() / f"{_PLACES}-{name}"
    place.mkdir(mode=0o700)
    return place


def sweep_places() -> None:
    """Remove the directories of hosts that were killed, and could not do it themselves."""
    for place in sockets_root().glob(f"{_PLACES}-*"):
        with contextlib.suppress(OSError):
            if time.time() - place.stat().st_mtime < _FRESH_SECONDS or is_open(place / DOOR):
                continue
            remove_tree(place)


def _has_children(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).children())
    except psutil.NoSuchProcess:
        return False


def _resident(pid: int) -> int:
    """Return the bytes of memory that a process has; 0 where it is gone."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0
