"""HTML outputs that expect scripts from elsewhere: given ours, or told that there are none."""

import re
from urllib.parse import urlsplit

from markupsafe import Markup

from pipeline.rendering.libraries import Libraries, library_at

_ADDRESS = r"""\s*=\s*["']?\s*((?:https?:)?//[^"'>\s]+)["']?"""
_SCRIPT = re.compile(rf"<script\b[^>]*?\ssrc{_ADDRESS}[^>]*>\s*</script\s*>", re.IGNORECASE)
_SHEET = re.compile(rf"<link\b[^>]*?\shref{_ADDRESS}[^>]*>", re.IGNORECASE)
_NOTE = Markup(
    '<p class="note">This output asks for a file of {}; a page loads nothing from elsewhere.</p>\n'
)
_MODULE = re.compile(r"""\bimport\b[^;"']{0,200}["'](https?://[^"']+)["']""")


def bring_home(fragment: str, libraries: Libraries) -> str:
    """Return an HTML output that loads nothing from elsewhere.

    A script of a library that we have is left out, and the library asked for; of any other
    the page says that it was left out: the reader's browser would refuse it in silence.
    """
    if "//" not in fragment:
        return fragment

    def at_home(found: re.Match[str]) -> str:
        library = library_at(found[1])
        if library is None:
            return str(_left_out(found[1]))
        if library:
            libraries.want(library, at_once=True)
        return ""

    fragment = _SHEET.sub(at_home, _SCRIPT.sub(at_home, fragment))
    module = _MODULE.search(fragment)
    return f"{fragment}{_left_out(module[1])}" if module else fragment


def _left_out(url: str) -> Markup:
    host = urlsplit(url if ":" in url[:6] else f"https:{url}").hostname or "elsewhere"
    return _NOTE.format(host)
