"""A report's page as PDF: printed by Chromium, in a process of its own."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from importlib.util import find_spec
from pathlib import Path

from app.settings import PREFIX, Settings
from pipeline.processes import end_tree
from pipeline.rendering.standalone import POLICY
from provenance.errors import UnavailableError

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_PLACES = (Path("/snap/bin/chromium"), Path("/opt/google/chrome/chrome"))
_SECONDS = 120.0
_DRAWN_SECONDS = 30.0
_PATIENCE_SECONDS = 2.0
"""How long one waits for another's page: whoever waits holds a thread of the server."""
_ADDRESS = "http://report.invalid/"
"""Where the page seems to lie: an address that nothing else has, so that no file is in reach."""
_A4_WIDTH, _A4_HEIGHT = 680, 1000
"""Pixels that a page of A4 has within its margins: what fits there on the screen is not cut."""
_FOOTER = (
    '<div style="width: 100%; margin: 0 15mm; display: flex; justify-content: space-between; '
    'font: 8px sans-serif; color: #5b626c"><span class="title"></span><span>'
    '<span class="pageNumber"></span> / <span class="totalPages"></span></span></div>'
)
_OPTIONS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"),
)
_ALL_DRAWN = """async (milliseconds) => {
  const drawn = async () => { await globalThis.drawAll?.(); };
  const late = new Promise((done) => setTimeout(done, milliseconds));
  await Promise.race([drawn().catch(() => {}), late]);
}"""
_SETTLED = """() => (!globalThis.Bokeh || Bokeh.documents.every((one) => one.is_idle))
  && [...document.querySelectorAll(".drawn.widget")].every((one) => one.querySelector("div"))"""
_one_at_a_time = threading.Lock()


class PrinterError(UnavailableError):
    """Raised when a page cannot be printed: something is not installed, or it took too long."""

    code = "no_pdf"


def chromium(settings: Settings) -> Path | None:
    """Return the browser that prints: that of the settings, else one in the usual places."""
    if settings.chromium:
        found = shutil.which(settings.chromium)
        return Path(found) if found else None
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    return next((place for place in _PLACES if os.access(place, os.X_OK)), None)


def can_print(settings: Settings) -> bool:
    """Tell whether all is there that makes PDFs."""
    return find_spec("playwright") is not None and chromium(settings) is not None


def print_pdf(page: bytes, settings: Settings) -> bytes:
    """Return *page*, one whole HTML file, as PDF: A4, with title, page numbers and bookmarks.

    One page is printed at a time: a browser wants a few hundred megabytes.
    Raises PrinterError.
    """
    if find_spec("playwright") is None:
        raise PrinterError(
            "PDFs are made with Playwright, which is not installed.",
            "Install provenote with its extra: pip install 'provenote[pdf]'.",
        )
    browser = chromium(settings)
    if browser is None:
        raise PrinterError(_no_browser(settings), "On Debian: apt-get install chromium.")
    if not _one_at_a_time.acquire(timeout=_PATIENCE_SECONDS):
        raise PrinterError("Another page is being printed.", "Try again in a minute.")
    try:
        return _in_process(page, browser)
    finally:
        _one_at_a_time.release()


def _no_browser(settings: Settings) -> str:
    if settings.chromium:
        return f"{PREFIX}CHROMIUM={settings.chromium!r} is no program that can be started."
    return (
        f"PDFs are printed by Chromium, and none was found ({', '.join(_NAMES)}). "
        f"{PREFIX}CHROMIUM names one elsewhere."
    )


def _in_process(page: bytes, browser: Path) -> bytes:
    with tempfile.TemporaryDirectory(prefix="provenote-print-") as own:
        # The browser executes what reports hold: it gets none of our secrets.
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.printing", str(browser)],
            env={**kept, "HOME": own, "TMPDIR": own},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            pdf, told = process.communicate(page, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            raise PrinterError(f"Printing the page took longer than {_SECONDS:.0f} s.") from None
        finally:
            # The browser leads a session of its own; it must not outlive its printing.
            end_tree(process.pid)
            process.wait()
    if process.returncode != 0 or not pdf.startswith(b"%PDF"):
        reason = told.decode(errors="replace").strip().rpartition("\n")[2]
        raise PrinterError(f"{browser} could not print the page: {reason or 'it said nothing'}.")
    return pdf


def main() -> None:
    """Print the page on standard input to standard output; the argument is the browser."""
    sys.stdout.buffer.write(_print(sys.stdin.buffer.read(), sys.argv[1]))


def _print(content: bytes, browser: str) -> bytes:
    from playwright.sync_api import Error, Route, sync_playwright

    def answer(route: Route) -> None:
        if route.request.url != _ADDRESS:
            route.abort()
            return
        policy = {"Content-Security-Policy": f"sandbox allow-scripts; {POLICY}"}
        route.fulfill(body=content, content_type="text/html; charset=utf-8", headers=policy)

    with sync_playwright() as driver:
        # As root, Chromium refuses to start with its own sandbox.
        sandboxed = os.geteuid() != 0
        opened = driver.chromium.launch(
            executable_path=browser, args=list(_OPTIONS), chromium_sandbox=sandboxed
        )
        page = opened.new_page(
            viewport={"width": _A4_WIDTH, "height": _A4_HEIGHT}, color_scheme="light"
        )
        page.route("**/*", answer)
        page.goto(_ADDRESS)
        with contextlib.suppress(Error):  # what is drawn by then is printed
            page.evaluate(_ALL_DRAWN, _DRAWN_SECONDS * 1000)
            page.wait_for_function(_SETTLED, timeout=_DRAWN_SECONDS * 1000)
        pdf = page.pdf(
            format="A4",
            margin={"top": "15mm", "bottom": "18mm", "left": "15mm", "right": "15mm"},
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=_FOOTER,
            tagged=True,
            outline=True,
        )
        opened.close()
        return pdf


if __name__ == "__main__":
    main()
