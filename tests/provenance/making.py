"""Records as tests make them."""

import json
from typing import Any

from provenance.identity.key import Preimage
from provenance.record import Output, Record
from provenance.store import Blob, Store


def record_of(key: str, *outputs: Output, **values: Any) -> Record:
    facts: dict[str, Any] = {
        "kind": "python",
        "name": "features",
        "preimage": {"version": 1, "stage": "features"},
        "run": {"id": "run_1", "started_at": "2026-03-01T12:00:00+00:00"},
        "code": {"commit": "a" * 40},
        "params": {"day": {"type": "date", "value": "2013-01-31", "origin": "default"}},
        "inputs": (),
        "environment": {"python": "3.11"},
    }
    return Record(key=key, outputs=outputs, **(facts | values))


def output_of(blob: Blob, name: str = "output") -> Output:
    return Output(name, blob.sha256, blob.size, "text/plain", f"{name}.txt")


def commit_some(store: Store, key: str, content: bytes) -> Record:
    """Put *content* and return the record that names it, not yet committed."""
    return record_of(key, output_of(store.put_bytes(content)))


def genuine_record(store: Store, number: int, *contents: bytes, **values: Any) -> Record:
    """Return a record whose key is that of its preimage; each *number* gives another."""
    code: dict[str, object] = {"number": number}
    preimage = Preimage("python", "features", code, {}, {}, (), {})
    outputs = [
        output_of(store.put_bytes(content), f"output{place}")
        for place, content in enumerate(contents)
    ]
    return record_of(preimage.key, *outputs, preimage=preimage.to_json(), **values)


def page_with(*figures: str) -> bytes:
    """Return a page whose head says that the objects *figures* lie beside it."""
    parts = {f"{cell}/0-00000000": [sha256, "image/png", 6] for cell, sha256 in enumerate(figures)}
    told = f'<script type="application/json" id="parts">{json.dumps(parts)}</script>'
    return f"<!doctype html><head>{told}</head><body></body>".encode()
