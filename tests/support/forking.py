"""A server that forks our commands: what each of hundreds would import first is there already.

A command that comes from here is the program itself with its own arguments, directory, variables
and streams; only the interpreter's start is left out. Tests of what stays, is stopped or is timed
start real processes (`tests.support.processes.Home.start`).
"""

import contextlib
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_BEFOREHAND = ("rich.console", "sqlalchemy.dialects.sqlite.pysqlite", "app.assemble", "app.errors")


class ForkingServer:
    """One such server; it ends with the process that made it."""

    def __init__(self, program: Path) -> None:
        self.program = program
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                cwd=Path(__file__).parents[2],
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": "."},
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )

    def run(
        self, arguments: Sequence[str | Path], cwd: Path, env: Mapping[str, str], timeout: float
    ) -> "subprocess.CompletedProcess[str]":
        """Run the program to its end, as `subprocess.run` does, with nothing to read.

        Raises TimeoutExpired once it has been killed.
        """
        argv = [str(self.program), *map(os.fspath, arguments)]
        ours, theirs = socket.socketpair()
        with (
            ours,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            Path(os.devnull).open("rb") as nothing,
        ):
            with theirs:
                wanted = {"argv": argv, "cwd": str(cwd), "env": dict(env)}
                ours.sendall(json.dumps(wanted).encode() + b"\n")
                streams = (nothing, out, err)
                descriptors = [theirs.fileno(), *(stream.fileno() for stream in streams)]
                socket.send_fds(self._ours, [b"."], descriptors)
            ours.settimeout(timeout)
            said = ours.makefile("r")
            pid = int(said.readline())
            try:
                status = int(said.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(argv, timeout) from None
            return subprocess.CompletedProcess(argv, status, _text(out), _text(err))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _serve(asked: socket.socket) -> dict[str, Any]:
    """Fork for each request; return, in a command's process only, what it is to do."""
    while True:
        _, descriptors, _, _ = socket.recv_fds(asked, 1, 4)
        if not descriptors:
            os._exit(0)  # the tests are over
        if os.fork() == 0:
            return _watched(asked, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _watched(asked: socket.socket, descriptors: Sequence[int]) -> dict[str, Any]:
    """Fork the command, tell its pid and how it ended; return in its process only."""
    asked.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    control = socket.socket(fileno=descriptors[0])
    wanted: dict[str, Any] = json.loads(control.makefile("r").readline())
    if child := os.fork():
        with contextlib.suppress(OSError):  # nobody waits for it any more
            control.sendall(f"{child}\n".encode())
            control.sendall(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n".encode())
        os._exit(0)
    control.close()
    for descriptor, standard in zip(descriptors[1:], range(3), strict=True):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    return wanted


def _become(wanted: Mapping[str, Any]) -> None:
    os.chdir(wanted["cwd"])
    os.environ.clear()
    os.environ.update(wanted["env"])
    sys.argv[:] = wanted["argv"]
    sys.path[0] = str(Path(wanted["argv"][0]).parent)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _load() -> None:
    import app.cli

    for module in pkgutil.iter_modules(app.cli.__path__, "app.cli."):
        importlib.import_module(module.name)
    for name in _BEFOREHAND:
        importlib.import_module(name)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how those that watch have ended
    _load()
    _become(_serve(socket.socket(fileno=int(sys.argv[1]))))
    from app.cli import main

    sys.exit(main())
