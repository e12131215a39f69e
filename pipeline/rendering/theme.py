"""What a page looks like, as one digest: a page made with another theme is rendered anew."""

import hashlib
from functools import cache
from pathlib import Path

THEMES = Path(__file__).resolve().parents[2] / "report_templates"
ASSETS = THEMES / "assets"
VERSIONS = ASSETS / "versions.json"
"""Which libraries draw on pages, from which package, with their digests."""


@cache
def theme_digest() -> str:
    """Return the digest of all files of the theme, and of the list of libraries that draw."""
    hasher = hashlib.sha256()
    for path in (*sorted((THEMES / "theme").iterdir()), VERSIONS):
        if path.is_file():
            hasher.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return hasher.hexdigest()
