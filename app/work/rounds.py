"""Doing things again and again beside the work, each at its own pace."""

import threading
import time
from collections.abc import Callable

import structlog

_log = structlog.get_logger()


class Rounds:
    """A thread of a worker. A step that fails is told of, and keeps no other from its turn."""

    def __init__(self, *steps: tuple[float, Callable[[], object]]) -> None:
        """Prepare to do *steps* in their order, each about once in so many seconds."""
        self._steps = steps
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin, after the shortest pause of all."""
        self._thread.start()

    def stop(self) -> None:
        """End with the step that is being done."""
        self._ended.set()

    def _run(self) -> None:
        pause = min(seconds for seconds, _ in self._steps)
        due = dict.fromkeys(range(len(self._steps)), 0.0)
        while not self._ended.wait(pause):
            for place, (seconds, step) in enumerate(self._steps):
                if seconds == pause or time.monotonic() >= due[place]:
                    due[place] = time.monotonic() + seconds
                    _tried(step)


def _tried(step: Callable[[], object]) -> None:
    try:
        step()
    except Exception as error:
        name = getattr(getattr(step, "func", step), "__name__", "")
        _log.warning("a step beside the work failed", step=name, error=repr(error))
