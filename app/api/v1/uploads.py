"""Batches that are sent as the body of a request."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flask import request

from app.api.v1.data_models import UploadQuery
from app.api.v1.entrance import refuse
from app.batches import Order, Received, receive, seen_now
from app.current import actor, installation, settings
from app.errors import RefusedError
from provenance.datasets.brought import digest_of, keep_file, nothing_yet
from provenance.datasets.elsewhere import prepare_elsewhere
from provenance.datasets.forms import SUFFIXES, safe_filename
from provenance.datasets.names import check_dataset, check_partition
from provenance.datasets.publish import SENT, NewBatch, sent_before

_CHUNK = 1024 * 1024
_LONGEST_KEY = 200


def take_upload(dataset: str, partition: str, query: UploadQuery) -> tuple[Received, bool]:
    """Take the body as the next batch of a partition; return it, and whether it is new."""
    new = replace(
        nothing_yet(check_dataset(dataset), actor()),
        partition=check_partition(partition),
        idempotency_key=_idempotency_key(),
    )
    seen = query.seen
    if seen is None:
        seen = seen_now(installation(), new.kind, dataset, partition)
    with _body(_filename(partition, query)) as path:
        new = replace(new, sent=digest_of(path))
        with installation().ledger.reading() as session:
            known = sent_before(session, new)
        # A batch of which it is not known what came can only be compared with what is kept.
        if known is None or SENT not in known.details:
            new = _kept(path, new, query.keep)
    order = Order(seen, query.reason, query.stage_only)
    return receive(installation(), new, order), known is None


def _kept(path: Path, new: NewBatch, keep: bool) -> NewBatch:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        prepared = prepare_elsewhere(path, Path(folder), keep=keep)
        return keep_file(installation().store, prepared, new)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (key.isprintable() and 0 < len(key) <= _LONGEST_KEY):
        refuse(f"Idempotency-Key: expected 1 to {_LONGEST_KEY} printable characters.")
    return key


def _filename(partition: str, query: UploadQuery) -> str:
    """Return the name of the file; its suffix is that of the content type, where it has one."""
    suffix = {media_type: word for word, media_type in SUFFIXES.items()}.get(request.mimetype, "")
    name = safe_filename(query.filename or partition.replace("/", "-"))
    return name if not suffix or name.lower().endswith(suffix) else f"{name}{suffix}"


@contextmanager
def _body(name: str) -> Iterator[Path]:
    """Give the body as a file called *name*, which is gone afterwards."""
    most = settings().max_batch_bytes
    length = request.content_length or 0
    if length > most:
        raise RefusedError(
            413,
            "too_large",
            f"The batch has {length:,} bytes, at most {most:,} are taken over HTTP.",
            "Use `provenote data import`; or the operator raises PROVENOTE_MAX_BATCH_BYTES.",
        )
    if "Content-Encoding" in request.headers:
        raise RefusedError(415, "content_encoding", "The body is encoded.", "Send it plain.")
    request.max_content_length = most
    home = installation().home / "incoming"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        path = Path(folder) / name
        with path.open("wb") as target:
            while chunk := request.stream.read(_CHUNK):
                target.write(chunk)
        if path.stat().st_size != length or not length:
            refuse(f"The body has {path.stat().st_size:,} bytes, {length:,} were announced.")
        yield path
