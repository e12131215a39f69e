"""What a page looks like, as one digest: a page made with another theme is rendered anew."""

import hashlib
from functools import cache
from pathlib import Path

THEMES = Path(__file__).resolve().parents[2] / "report_templates"


@cache
def theme_digest() -> str:
    """Return the digest of all files of the theme."""
    hasher = hashlib.sha256()
    for path in sorted((THEMES / "theme").iterdir()):
        if path.is_file():
            hasher.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return hasher.hexdigest()
