"""Text that came from anywhere, made such that every database and page takes it."""

from typing import Any


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
