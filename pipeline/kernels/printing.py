"""What a cell prints while it runs: passed on in pieces, however small or many they come."""

import asyncio
from collections.abc import Callable

PAUSE_SECONDS = 0.1
MOST_CHARACTERS = 20_000


class Printing:
    """Collects text for a tenth of a second at a time; of very much, the end is passed on.

    A cell that prints a million lines must not cost a million messages.
    """

    def __init__(self, pass_on: Callable[[int, str], None]) -> None:
        self._pass_on = pass_on
        self._cell = 0
        self._text = ""
        self._last = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def take(self, cell: int, text: str) -> None:
        """Take what the cell at place *cell* has printed; to be called within an event loop."""
        self._cell, self._text = cell, (self._text + text)[-MOST_CHARACTERS:]
        if self._timer is None:
            loop = asyncio.get_running_loop()
            pause = max(0.0, self._last + PAUSE_SECONDS - loop.time())
            self._timer = loop.call_later(pause, self._pass)

    def _pass(self) -> None:
        self._timer = None
        self._last = asyncio.get_running_loop().time()
        text, self._text = self._text, ""
        self._pass_on(self._cell, text)

    def forget(self) -> None:
        """Forget what was not passed on yet: the cell has ended, and is shown as a whole."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._text = None, ""
