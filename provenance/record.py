"""The record: how an artifact came to be. Kept by key, and beside each output as a sidecar."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from provenance.store import Blob, CorruptObjectError, MissingObjectError, Store

SCHEMA = "provenote/record/1"
SIDECAR_SUFFIX = ".prov.json"


@dataclass(frozen=True)
class Output:
    """One file that a job left."""

    name: str
    sha256: str
    size: int
    media_type: str
    filename: str

    @property
    def uri(self) -> str:
        """The output's address by content."""
        return f"sha256:{self.sha256}"


@dataclass(frozen=True)
class Record:
    """What is known of one execution; written once, never changed.

    ``kind`` is that of a stage (``python``, ``sql``, ``command``, ``notebook``), ``report``, or
    ``render`` for a page that was made anew. ``preimage`` is what the key is the hash
    of, so that two results are explained by comparing two records. ``extra`` holds what
    only some kinds have: queries of an SQL stage, metrics and checks, the log's digest.
    """

    kind: str
    name: str
    key: str
    preimage: Mapping[str, Any]
    outputs: tuple[Output, ...]
    run: Mapping[str, Any]
    code: Mapping[str, Any]
    params: Mapping[str, Any]
    inputs: tuple[Mapping[str, Any], ...]
    environment: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def observed(self) -> dict[str, str | None]:
        """Files of the repository that the code was seen to open beyond what its key knows.

        By path the SHA-256 of the content, None where the code looked and found nothing.
        """
        return dict(self.code.get("observed") or {})

    @property
    def files(self) -> list[str]:
        """The digests of all that the job left: its outputs, and frames and models it stored."""
        stored = [*self.extra.get("batches", ()), *self.extra.get("models", ())]
        return [output.sha256 for output in self.outputs] + [
            str(one.get("sha256")) for one in stored
        ]

    def output(self, name: str) -> Output | None:
        """Return the output called *name*."""
        return next((output for output in self.outputs if output.name == name), None)

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        body = asdict(self)
        body["outputs"] = [{**asdict(output), "uri": output.uri} for output in self.outputs]
        return {"schema": SCHEMA, **json.loads(json.dumps(body))}

    def to_bytes(self) -> bytes:
        """Return the record as the bytes that are stored, hashed and compared."""
        return json.dumps(self.as_json(), sort_keys=True, ensure_ascii=False, indent=1).encode()


def parse_record(data: bytes) -> Record:
    """Return the record that *data* holds; raise ValueError where it is none that we read."""
    body = json.loads(data)
    if not isinstance(body, dict) or body.pop("schema", None) != SCHEMA:
        raise ValueError(f"not a record of schema {SCHEMA}")
    try:
        outputs = tuple(
            Output(**{name: value for name, value in output.items() if name != "uri"})
            for output in body.pop("outputs")
        )
        return Record(outputs=outputs, inputs=tuple(body.pop("inputs")), **body)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"a record lacks a field, or has one too many: {error}") from error


def read_record(store: Store, record_id: str | None) -> Record | None:
    """Return the record with this id; None where there is none that can be read."""
    if record_id is None:
        return None
    try:
        return parse_record(store.read(record_id))
    except (MissingObjectError, CorruptObjectError, ValueError):
        return None  # gone, damaged, or of another version


def sidecar(record: Record, record_id: str, output: Output) -> bytes:
    """Return the content of ``<output>.prov.json``: the record, told from one output.

    That may be a frame or a model that the job stored, or a page that was rendered anew since:
    then all that the record itself has as outputs are its siblings.
    """
    body = record.as_json()
    told = {**asdict(output), "uri": output.uri}
    outputs = body.pop("outputs")
    same = [item for item in outputs if (item["name"], item["uri"]) == (output.name, output.uri)]
    body["record_id"] = record_id
    body["output"] = same[0] if same else told
    body["siblings"] = [item for item in outputs if item not in same]
    return json.dumps(body, sort_keys=True, ensure_ascii=False, indent=1).encode() + b"\n"


def keep_record(store: Store, record: Record) -> Blob:
    """Put the record into the store; its digest is the record's id."""
    return store.put_bytes(record.to_bytes())
