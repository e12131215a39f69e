"""The kernel host of a user: shared by all of their processes, it ends when it is idle.

For kernels outside of the service, such as ``papermill --engine provenote``.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pipeline.kernels.doors import is_open
from pipeline.kernels.failures import KernelStartError
from pipeline.kernels.hosts import DOOR
from pipeline.workplace import make_sockets_root

IDLE_SECONDS = 600
_MOST_KERNELS = 32
_AT_START = ("PYTHON", "LANG", "LC_")
"""Variables that an interpreter looks at when it starts: who has others gets another host."""
_HAS_SDK = "import provenote._host, ipykernel.kernelapp"


def shared_door(
    python: Path, preload: Sequence[str] = (), idle_seconds: float = IDLE_SECONDS
) -> Path:
    """Return the socket of the user's host for the interpreter *python*, starting the host.

    It has the modules of *preload* imported; one that is started here ends after *idle_seconds*
    without a kernel. Raises KernelStartError where the interpreter has
    no SDK of provenote, or no kernel.
    """
    place = _place(python, preload)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_open(place / DOOR):
            _start(python, place, preload, idle_seconds)
    return place / DOOR


def _place(python: Path, preload: Sequence[str]) -> Path:
    """Return the private directory of the host; its path is short, as names of sockets must be."""
    start = sorted(item for item in os.environ.items() if item[0].startswith(_AT_START))
    told = json.dumps([str(python.absolute()), *preload, start])
    name = hashlib.sha256(told.encode()).hexdigest()[:10]
    try:
        place = make_sockets_root() / f"u-{name}"
        place.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise KernelStartError(f"No kernel host can be started: {error}.") from error
    return place


def _start(python: Path, place: Path, preload: Sequence[str], idle: float) -> None:
    probe = subprocess.run([python, "-P", "-c", _HAS_SDK], capture_output=True, check=False)
    if probe.returncode != 0:
        raise KernelStartError(
            f"{python} has no provenote SDK or no ipykernel; kernels of it cannot be forked. "
            "Install provenote-sdk there, or use papermill's own engine."
        )
    with contextlib.suppress(FileNotFoundError):
        (place / DOOR).unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(str(place / DOOR))
        door.listen(64)
        ends = {"parent": None, "isolation": None, "idle": idle, "most": _MOST_KERNELS}
        spec = {"door": door.fileno(), "preload": list(preload), **ends}
        subprocess.Popen(
            [python, "-P", "-m", "provenote._host", json.dumps(spec)],
            cwd=place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(door.fileno(),),
            start_new_session=True,
        )
