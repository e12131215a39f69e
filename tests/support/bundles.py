"""Bundles as an archive gives them out, and what others could have made of them."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
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
    """Check a bundle that lies alone in a folder; what is found is told by names in it."""
    path = folder / "taken.zip"
    path.write_bytes(data)
    verified = Verified()
    verify_bundle(path, verified)
    for found in (verified.problems, verified.notes):
        found[:] = [replace(one, where=one.where.removeprefix(f"{path}: ")) for one in found]
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


def with_other_record(files: Files, change: Callable[[Any], object]) -> Files:
    """Return *files* with the report's record changed, and all names and hashes of it as well."""
    told = json.loads(files["manifest.json"])
    old = told["run"]["record"]
    body = json.loads(files[f"records/{old}.json"])
    change(body)
    return with_record_of(files, json.dumps(body).encode())


def with_record_of(files: Files, content: bytes) -> Files:
    """Return *files* with that content as the report's record, as if it had always been it."""
    old = json.loads(files["manifest.json"])["run"]["record"]
    new = hashlib.sha256(content).hexdigest()
    made = with_new_hash(files, f"records/{old}.json", content)
    made[f"records/{new}.json"] = made.pop(f"records/{old}.json")
    text = made["manifest.json"].replace(old.encode(), new.encode())
    return {**made, "manifest.json": text}
