"""Bundles as an archive gives them out, and what others could have made of them."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.bundles.verify import verify_bundle
from provenance.verify import Verified

Files = dict[str, bytes]


def unzipped(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped_anew(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def checked(data: bytes, folder: Path) -> Verified:
    """Check a bundle that lies alone in a folder."""
    path = folder / "taken.zip"
    path.write_bytes(data)
    verified = Verified()
    verify_bundle(path, verified)
    return verified


def edited(files: Files, name: str, change: Callable[[Any], object]) -> Files:
    """Return *files* with the JSON file *name* changed."""
    body = json.loads(files[name])
    change(body)
    return {**files, name: json.dumps(body, indent=1, ensure_ascii=False).encode() + b"\n"}


def with_new_hash(files: Files, name: str, content: bytes) -> Files:
    """Return *files* with other content under *name*, and the manifest's hash of it changed too."""

    def change(body: Any) -> None:
        (entry,) = [entry for entry in body["files"] if entry["path"] == name]
        entry |= {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}

    return edited({**files, name: content}, "manifest.json", change)
