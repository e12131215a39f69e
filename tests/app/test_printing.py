"""Reports as PDF: by a real Chromium, or with a word on what is missing."""

import re
import stat
from pathlib import Path

import pytest

from app.printing import PrinterError, _print, can_print, chromium, print_pdf
from app.settings import Settings
from tests.support.browsing import CHROMIUM

needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="no Chromium: apt-get install chromium"
)
PAGE = b"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>Tides of M\xc3\xa4rz</title></head><body><h1>Tides</h1><p id="drawn"></p><p id="reached"></p>
<img src="file:///etc/hostname"><img src="http://127.0.0.1:9/x.png">
<script>
globalThis.drawAll = () => new Promise((done) => setTimeout(() => {
  document.getElementById("drawn").style.height = "3000px"; done();
}, 50));
</script></body></html>"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.mark.browser
@needs_chromium
def test_a_page_is_printed_when_all_of_it_is_drawn(settings: Settings) -> None:
    assert can_print(settings)
    pdf = print_pdf(PAGE, settings)
    assert pdf.startswith(b"%PDF-")
    # What is drawn at last is three pages long.
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 3
    assert "Tides of März".encode("utf-16-be").hex().upper().encode() in pdf


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize(
    "drawing", ["new Promise(() => {})", "Promise.reject(new Error('no'))", "undefined.x"]
)
def test_a_page_is_printed_though_what_is_to_be_drawn_never_is(
    drawing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.printing._DRAWN_SECONDS", 0.2)
    page = f"<!doctype html><h1>Tides</h1><script>drawAll = () => {drawing};</script>"
    assert _print(page.encode(), str(CHROMIUM)).startswith(b"%PDF-")


def test_without_a_browser_it_is_said_what_to_install(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("app.printing._PLACES", ())
    assert chromium(settings) is None
    assert not can_print(settings)
    with pytest.raises(PrinterError, match="none was found") as told:
        print_pdf(PAGE, settings)
    assert "apt-get install chromium" in told.value.hint


def test_a_browser_of_the_settings_that_is_none_is_refused_by_its_name(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, chromium=str(tmp_path / "nothing"))
    with pytest.raises(PrinterError, match="PROVENOTE_CHROMIUM="):
        print_pdf(PAGE, settings)


def test_a_browser_that_fails_is_told_with_its_reason(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\nexit 3\n")
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    settings = Settings(home=tmp_path, chromium=str(browser))
    with pytest.raises(PrinterError, match="could not print the page"):
        print_pdf(PAGE, settings)
