"""What a forked process does to be a kernel like one that was started afresh.

A fork shares what its host had: the state of random generators, the streams, the environment.
Each of them is made the kernel's own here, so that no cell can tell the difference.
"""

import contextlib
import itertools
import json
import os
import random
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from provenote import _observe
from provenote._leave import leave

BEGIN = "begin"
"""The socket, in a kernel's directory, at which it is told of its run."""
IMPORTED = "imported.json"
"""Where a kernel leaves the names of the modules that it has imported."""
_printed = [""]
"""Where descriptors lead that are no stream of the kernel's."""
_found: dict[str, str] = {}
"""The environment that the host was started with, which is none of a kernel's."""
_added: dict[str, str] = {}
"""What imports and the kernel itself have put into the environment; it stays there when a run
begins, as it would in a kernel that has imported the same."""
_GIVEN = "MPLBACKEND"
"""Put there by a kernel only where nobody else has."""


def remember_environment() -> None:
    """Note what the environment was before anything was imported; called by the host, first."""
    _found.update(os.environ)


def become_kernel(asked: dict[str, Any], shared: frozenset[str]) -> None:
    """Serve as the kernel that *asked* describes, until the client that let it begin lets go.

    ``directory`` is private and holds the connection file; ``log`` takes what the process
    prints past the kernel's own streams. *shared* are the modules that the host has imported.
    """
    directory = Path(asked["directory"])
    _own_streams(Path(asked["log"]))
    _own_randomness()
    os.chdir(directory)
    _own_names(directory / "connection.json")
    app = _prepared(directory)
    try:
        app.start()
        _tell_imports(directory / IMPORTED, shared)
        leave(shared)
    except BaseException:  # a run has broken what is needed here: that is no failure to start
        traceback.print_exc()
    finally:
        os._exit(1)


def _own_streams(log: Path) -> None:
    """Lead the standard descriptors away from the host's."""
    _printed[0] = str(log)
    nothing = os.open(os.devnull, os.O_RDONLY)
    printed = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (printed, 1), (printed, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(printed)


def _own_randomness() -> None:
    """Seed anew what was seeded when it was imported: else all kernels would draw the same."""
    random.seed()
    if numpy := sys.modules.get("numpy.random"):
        numpy.seed()
    if torch := sys.modules.get("torch"):
        torch.seed()


def _own_names(connection_file: Path) -> None:
    """Be called as if ipykernel's launcher had been started, and number threads from the first."""
    launcher = Path(sys.modules["ipykernel"].__file__ or "").parent.parent / "ipykernel_launcher.py"
    given = ["-f", str(connection_file)]
    sys.argv = [str(launcher), *given]
    sys.orig_argv = [sys.executable, "-P", "-m", "ipykernel_launcher", *given]
    threading._counter = itertools.count(1).__next__  # type: ignore[attr-defined]


def _prepared(directory: Path) -> Any:
    """Return ipykernel's application, ready to start: it listens, and has run a first cell."""
    from ipykernel.kernelapp import IPKernelApp

    os.environ["IPYTHONDIR"] = _found["IPYTHONDIR"] = str(directory / "ipython")
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(directory / BEGIN))
    door.listen(1)
    app = IPKernelApp.instance()
    with _modules_unlisted():
        # History in memory: the file would be written by a thread, and nobody ever reads it.
        app.initialize([*sys.argv[1:], "--HistoryManager.hist_file=:memory:"])
    _added.update({k: v for k, v in os.environ.items() if _found.get(k) != v})
    _rewire_inline_figures()
    app.shell.run_cell("None", silent=True, store_history=False)  # the first takes longest
    _begin_when_told(door, app)
    return app


@contextlib.contextmanager
def _modules_unlisted() -> Iterator[None]:
    """Keep a kernel that starts from looking at each module, and so copying where it lies.

    ipykernel lists the files of all, so that a debugger does not step into them. None comes here.
    """
    from ipykernel import ipkernel

    unlisted = _Unlisted("sys")
    ipkernel.sys = unlisted
    try:
        yield
    finally:
        ipkernel.sys = sys


class _Unlisted(ModuleType):
    """Python's ``sys``, without the modules."""

    modules: ClassVar[dict[str, ModuleType]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


def _begin_when_told(door: socket.socket, app: Any) -> None:
    """Let the run begin when the client says so, and end when it says no more.

    As requests over Jupyter's channels both would take longer than most cells.
    """
    from tornado.ioloop import IOLoop

    loop = IOLoop.current()

    def answer(*_: object) -> None:
        loop.remove_handler(door)
        with door:
            client = door.accept()[0]
        try:
            with client.makefile("rb") as asked:
                begin(json.loads(asked.readline()))
        except BaseException as error:
            client.sendall(json.dumps({"error": repr(error)}).encode() + b"\n")
        else:
            client.sendall(b"{}\n")
        loop.add_handler(client, end, IOLoop.READ)

    def end(client: socket.socket, _: object) -> None:
        loop.remove_handler(client)
        client.close()
        app.shell.exit_now = True  # as after a request to shut down
        loop.stop()

    loop.add_handler(door, answer, IOLoop.READ)


def _rewire_inline_figures() -> None:
    """Connect inline figures to this kernel, where a preloaded package has imported them."""
    if inline := sys.modules.get("matplotlib_inline.backend_inline"):
        inline._enable_matplotlib_integration()


def _tell_imports(file: Path, shared: frozenset[str]) -> None:
    """Write down which installed modules the run has imported, for the kernels after this one."""
    installed = (f"{sys.prefix}/", f"{sys.base_prefix}/")
    names = [
        name
        for name, module in list(sys.modules.items())
        if name not in shared and (getattr(module, "__file__", None) or "").startswith(installed)
    ]
    with contextlib.suppress(OSError):
        # Anew: the run may have put anything there, one to write into somewhere else, or to wait.
        told = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(told, "w", encoding="utf-8") as opened:
            json.dump(names, opened)


def begin(asked: dict[str, Any]) -> None:
    """Take on the run that *asked* describes: environment, directory, log, imports."""
    _own_environment(asked["environment"])
    os.chdir(asked["directory"])
    if asked["log"]:
        _print_into(asked["log"])
    _search(asked["search"])
    _observe.start_from_context()


def _search(places: list[str]) -> None:
    """Let cells import from *places* first; from "", where they are, after the standard library."""
    sys.path[:0] = [place for place in places if place]
    if "" in places:  # IPython has it there, unless it is told to be safe
        names = [Path(place).name for place in sys.path]
        sys.path.insert(names.index("site-packages") if "site-packages" in names else 0, "")


def _own_environment(given: dict[str, str]) -> None:
    """Take on the environment of a run, also where the host's was looked at and remembered."""
    kept = {name: value for name, value in _added.items() if not (name in given and name == _GIVEN)}
    os.environ.clear()
    os.environ.update({**given, **kept})
    time.tzset()
    tempfile.tempdir = None  # found anew when it is needed: TMPDIR is another
    if _GIVEN in given and (matplotlib := sys.modules.get("matplotlib")):
        matplotlib.use(given[_GIVEN])


def _print_into(log: str) -> None:
    """Lead what goes past the kernel's streams into *log*, wherever its descriptors are kept."""
    new = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208
        try:
            is_old = os.readlink(f"/proc/self/fd/{number}") == _printed[0]  # noqa: PTH115
        except OSError:
            continue  # the listing itself
        if is_old:
            os.dup2(new, number, inheritable=os.get_inheritable(number))
    os.close(new)
    _printed[0] = log
