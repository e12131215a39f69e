"""Keeping the text that a result stands on, so that a later difference can be shown."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provenance.store import Store

MOST_FILES = 400
MOST_BYTES = 256 * 1024


def keep_sources(store: Store, root: Path, code: Mapping[str, Any]) -> None:
    """Keep the files that the record's *code* names, each under the digest that it has there.

    Only what can be shown is kept: not too large, not too many. A file that has changed since
    it was hashed is left out.
    """
    for file in code.get("files", ())[:MOST_FILES]:
        if store.keep(file["exact"]):
            continue
        text = _text(root / os.fsdecode(file["path"].encode()))
        if text is not None and hashlib.sha256(text).hexdigest() == file["exact"]:
            store.put_bytes(text)


def _text(path: Path) -> bytes | None:
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    return None if b"\0" in data else data
