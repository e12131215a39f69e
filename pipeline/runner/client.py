"""The worker's end of a runner: start it, give it a job, follow it, stop it."""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from pipeline.containment import ENDED_SECONDS
from pipeline.processes import end_tree
from pipeline.runner.messages import UNSTOPPABLE, Job, as_message
from provenance.errors import ProvenoteError
from provenance.ledger.states import Verdict

Event = dict[str, Any]
_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONDONTWRITEBYTECODE")
_POLL_SECONDS = 0.1
_STOP_SECONDS = 5.0


class RunnerStoppedError(ProvenoteError):
    """Raised when a job was ended from outside; ``reason`` is a verdict's code."""

    code = "stopped"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The job was stopped: {reason}.")
        self.reason = reason


class RunnerDiedError(ProvenoteError):
    """Raised when a runner ended in the middle of a job."""

    code = "runner_died"


class RunnerFailedError(ProvenoteError):
    """Raised when a job failed by our own fault; holds the runner's traceback."""

    code = "runner_failed"


class Runner:
    """A runner process, started when it is first needed and again after it was stopped."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""

    def start(self) -> None:
        """Start the process, unless it runs; it gets ready while the caller goes on."""
        if self._process is not None and self._process.poll() is None:
            return
        self._buffer = b""
        # -P: the directory that we were started in must never be a place to import from.
        # A session of its own: Ctrl-C in a terminal is our affair, not the runner's.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pipeline.runner.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Users' code can look at the environment of the process above it.
            env={name: os.environ[name] for name in _PASSED if name in os.environ},
            start_new_session=True,
        )

    def prepare(self, door: str) -> None:
        """Let a kernel of the host at *door* get ready for a report that is to come."""
        self.start()
        self._send({"op": "prepare", "door": door})

    def call(
        self,
        job: Job,
        on_event: Callable[[Event], None],
        stop_reason: Callable[[], str | None],
    ) -> dict[str, Any]:
        """Give the runner *job* and return its result; events go to *on_event* meanwhile.

        *stop_reason* is asked ten times a second: as soon as it returns a reason, all that
        the job started is ended, asked first and then killed, and RunnerStoppedError raised.
        """
        self.start()
        try:
            self._send(as_message(job))
            while "event" in (message := self._next_message(stop_reason)):
                if message["event"] != UNSTOPPABLE:  # that is of a job which had answered by then
                    on_event(message)
        except RunnerStoppedError as stopped:
            asked = stopped.reason != Verdict.WORKER_LOST  # else somebody else may begin it now
            if not (asked and self._ends_soon(on_event)):
                self.stop()
            raise
        except BaseException:
            # Whoever leaves here in the middle of a job, it must not go on behind his back.
            self.stop()
            raise
        if "failed" in message:
            raise RunnerFailedError(message["failed"])
        result: dict[str, Any] = message["result"]
        return result

    def _ends_soon(self, on_event: Callable[[Event], None]) -> bool:
        """Let the runner end what it executes; tell whether it has answered, and is good for more.

        What is done until then is heard of: a cell that heeds an interrupt is shown with it.
        """
        until = time.monotonic() + ENDED_SECONDS
        try:
            self._send({"op": "stop"})
            while "event" in (
                message := self._next_message(lambda: "late" if time.monotonic() > until else None)
            ):
                if message["event"] == UNSTOPPABLE:
                    return False
                on_event(message)
        except (RunnerStoppedError, RunnerDiedError):
            return False
        except BaseException:
            self.stop()
            raise
        return True

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None  # noqa: S101, PT018
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None

    def _next_message(self, stop_reason: Callable[[], str | None]) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            reason = stop_reason()
            if reason is not None:
                raise RunnerStoppedError(reason)
            self._read_some()
        line, self._buffer = self._buffer.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message

    def _read_some(self) -> None:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(_POLL_SECONDS):
                return
        chunk = os.read(self._process.stdout.fileno(), 65536)
        if not chunk:
            raise self._died()
        self._buffer += chunk

    def _died(self) -> RunnerDiedError:
        status = self._process.wait() if self._process else None
        self._process = None
        return RunnerDiedError(f"The runner ended in the middle of a job (status {status}).")

    def stop(self) -> None:
        """End the runner and everything below it."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if process.poll() is None:
            end_tree(process.pid)
            process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()
