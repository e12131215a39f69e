"""Waiting for what happens elsewhere."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def wait_for(look: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """Return what *look* gives as soon as that is true; fail after *seconds*."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.02)
    return found


def wait_until_true(page: Any, condition: str, seconds: float = 30.0) -> None:
    """Wait until JavaScript *condition* holds in a page or frame of Playwright.

    Its own ``wait_for_function`` evaluates a text again and again within the page, and each time
    but the first that is an ``eval``, which our pages forbid.
    """
    deadline = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {condition}"
        page.wait_for_timeout(50)
