"""The first moments of a process that is supervised, between the fork and its own code."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_DEFAULTS = (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGQUIT)
_MOST_WORDS = 4_000
_NICE = 10
"""As `nice` counts: a ninth of the share of who has 0."""


def end_with_parent() -> None:
    """Let the kernel end this process when the one that forked it has ended."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def begin(start: Callable[[], None], parent: int, tells: int) -> NoReturn:
    """Be as a process that was started from a shell, but for who is above it, and *start*.

    *parent* is the one that forked it. What goes wrong is written to *tells*.
    """
    try:
        _become(parent)
        start()
        _leave(0)
    except SystemExit as leaving:
        code = leaving.code
        _leave(code if isinstance(code, int) else 0 if code is None else 1)
    except BaseException as error:
        complain(tells, error)


def _become(parent: int) -> None:
    signal.set_wakeup_fd(-1)
    for number in _DEFAULTS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python has it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    end_with_parent()
    if os.getppid() != parent:  # it was gone before the signal was asked for
        os._exit(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("500")  # when the machine is out of memory, this goes and we stay
    give_way()


def give_way() -> None:
    """Leave the processor to who answers people, where both want it; for the start of a session.

    Linux may divide the processor between sessions first: then the session has to give way too.
    """
    os.nice(max(0, _NICE - os.nice(0)))
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as file:
        file.write(str(_NICE))


def _leave(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status)


def complain(tells: int, error: BaseException) -> NoReturn:
    """Say why there is nothing to supervise, and leave as a shell would."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else repr(error)
    with contextlib.suppress(OSError):
        os.write(tells, words.encode(errors="replace")[:_MOST_WORDS])
    os._exit(127)


def let_go(kept: set[int]) -> None:
    """Close all files but those in *kept*: whoever waits for their end must not wait for us."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


def hear_of_children() -> tuple[int, int]:
    """Return a pipe's ends, of which the first is readable when a child may have ended."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    signal.set_wakeup_fd(ends[1], warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return ends
