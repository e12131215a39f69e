"""Text that came from anywhere, made such that every database and page takes it."""

import re
from typing import Any

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def storable(value: Any) -> Any:
    """Return *value* with all its texts storable: without NUL and without half characters.

    Dicts and lists are gone through; other values are returned as they are.
    """
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(name): storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value


def readable(text: str) -> str:
    """Return *text* without terminal colours and control characters."""
    return _UNSEEN.sub("", _ESCAPES.sub("", text))
