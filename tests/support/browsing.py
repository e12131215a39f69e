"""A real Chromium, without a network of its own, that tests and measurements drive."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)

TOO_WIDE = """() => document.documentElement.scrollWidth <= 390 ? [] :
  [...document.querySelectorAll("body *")]
    .filter((one) => !one.closest(".scroll") && one.getBoundingClientRect().right > 391)
    .map((one) => `${one.tagName}.${one.className}`)"""
"""What leaves a page that is 390 pixels wide."""


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium, and end it afterwards."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=OPTIONS.split())
        yield started
        started.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve *app* beside the test, and tell where."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def watched_page(browser: Any, **options: Any) -> Any:
    """Open a page in a context of its own; ``complaints`` has what the browser refused."""
    page = browser.new_context(**options).new_page()
    page.complaints = []
    page.on("console", lambda told: page.complaints.append(told.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
    return page


COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""The rules of axe-core that may be broken in other colours alone."""


def broken_rules(page: Any, address: str, rules: dict[str, Any] | None = None) -> list[str]:
    """Return the rules of axe-core that a page breaks, with the first place of each."""
    from axe_playwright_python.sync_playwright import Axe

    page.goto(address)
    found = Axe().run(page, options=rules).response["violations"]
    return [f"{address}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]
