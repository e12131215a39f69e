"""What a command line has heard of a run so far, and how far that means it is."""

import re
import threading
import time
from collections.abc import Mapping
from typing import Any

from app.cli.output import plain
from app.progress import printed_lines
from provenance.ledger.queries.progress import Progress
from provenance.ledger.times import Moment, Took, expected_left

_LONGEST_LINE = 2_000
_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class Heard:
    """Puts the events of a run together; the time that passes between them counts too."""

    def __init__(self, expected: Took | None, called_off: threading.Event | None = None) -> None:
        self._called_off = called_off
        self._expected = expected
        self._started = self._since = time.monotonic()
        self._doing: str | None = None
        self._done = 0
        self._total: int | None = None
        self._tail = ""
        self._seen: Progress | None = None

    def hear(self, event: Mapping[str, Any]) -> None:
        """Take in one event."""
        if event["event"] == "log":
            self._tail = (self._tail + event["text"])[-_LONGEST_LINE:]
        elif event["event"] == "doing" and "index" not in event:
            self._doing = str(event["doing"])
        elif event["event"] in ("doing", "cell"):
            self._since, self._total = time.monotonic(), event["total"]
            if event["event"] == "cell":
                self._done = event["index"] + 1
                self._tail += "\n"
            else:
                self._doing = f"cell {event['index'] + 1}"

    def look(self, seen: Progress) -> None:
        """Take over what the ledger says of a run that somebody else carries out."""
        self._seen = seen

    @property
    def stops(self) -> bool:
        """Whether somebody at the terminal wants its end."""
        return self._called_off is not None and self._called_off.is_set()

    @property
    def printed(self) -> str:
        """The last line that was printed, without what would steer a terminal."""
        lines = [line for line in printed_lines(self._tail).split("\n") if line.strip()]
        return plain(_COLOURS.sub("", lines[-1])).strip() if lines else ""

    def now(self) -> Progress:
        """Return how far the run is at this moment."""
        if self._seen is not None:
            return self._seen
        now = time.monotonic()
        elapsed, expected = now - self._started, self._expected
        moment = Moment(elapsed, self._done, self._total, now - self._since)
        left = expected_left(expected, moment).seconds if expected else None
        whole = expected.seconds if expected else None
        return Progress(
            False, self._doing, self._done, self._total, elapsed, expected=whole, left=left
        )
