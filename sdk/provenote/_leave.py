"""How a forked kernel ends: as Python does, but for what it shares with its host.

To take that apart as well would copy every page of it, and last longer than most cells. All that a
run itself has made goes through the same steps: threads are waited for, exit handlers called, the
modules that it has imported emptied, what nobody holds any more collected, and what is still open
flushed. Only what a run hangs onto a module of an installed package that was imported beforehand
stays as it is; its open files are flushed all the same.
"""

import atexit
import contextlib
import ctypes
import gc
import io
import os
import sys
import threading
from typing import NoReturn

_LAST = ("last_type", "last_value", "last_traceback", "last_exc")
"""Where Python keeps the last error, and with it all that its frames hold."""
_FILE = io.IOBase.__base__
"""What all files are made from, those of C as well; to ask for io.IOBase takes much longer."""


def leave(shared: frozenset[str]) -> NoReturn:
    """End this process; *shared* names the modules that the host had imported before."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    _empty_modules(shared)
    _flush()
    os._exit(0)


def _empty_modules(shared: frozenset[str]) -> None:
    """Do what Python does with modules in the end, to those that are not *shared*."""
    for name in _LAST:
        if hasattr(sys, name):
            setattr(sys, name, None)
    own = [sys.modules.pop(name) for name in list(sys.modules) if name not in shared]
    gc.collect()
    while own:  # the last first
        with contextlib.suppress(Exception):  # anything may stand among the modules
            _empty(own.pop().__dict__)
    gc.collect()


def _empty(names: dict[str, object]) -> None:
    """Let go of what a module holds: first what is private, as the language says."""
    private = [name for name in names if isinstance(name, str) and name[:1] == "_" != name[1:2]]
    for name in (*private, *names):
        if name != "__builtins__":
            names[name] = None


def _flush() -> None:
    """Write the buffers of all files that are still open, of Python and of C."""
    are_files: dict[type, bool] = {}
    for found in gc.get_objects():
        kind = type(found)  # not what it says of itself: it may lie, or raise
        if kind not in are_files:
            are_files[kind] = _FILE in kind.__mro__
        if are_files[kind]:
            try:  # noqa: SIM105 - contextlib.suppress would be one more object to look at
                found.flush()
            except Exception:  # noqa: S110 - closed, broken, or not for writing
                pass
    ctypes.CDLL(None).fflush(None)
