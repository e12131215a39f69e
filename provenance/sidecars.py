"""From a sidecar back to the record that it was told from.

A sidecar has all that the record has, but for one thing: where among the outputs the one stood
that it tells of. The record's id, the digest of its bytes, says which place is the right one.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from provenance.record import Output, Record, parse_record

_SIDECAR_ONLY = ("record_id", "output", "siblings")
_NO_OUTPUTS = b'\n "outputs": []'
"""How a record without outputs says so; a line that begins like this is in no text of JSON."""
_BETWEEN = b",\n  "


def told_by(body: Mapping[str, Any]) -> Record:
    """Return what a sidecar says, with the output that it tells of as the first one.

    Raises ValueError where *body* is no sidecar.
    """
    fields = {name: value for name, value in body.items() if name not in _SIDECAR_ONLY}
    missing = [name for name in _SIDECAR_ONLY if name not in body]
    if missing or not isinstance(body["siblings"], list):
        raise ValueError(f"it is no sidecar: {', '.join(missing) or 'siblings'} is missing")
    outputs = [body["output"], *body["siblings"]]
    return parse_record(json.dumps({**fields, "outputs": outputs}).encode())


def record_with_id(told: Record, record_id: str, known: Record | None) -> Record | None:
    """Return the record with that id, where *told* is what a sidecar of it says; else None.

    *known* is the record with that id, if it is at hand: its outputs tell the place. Without
    it, each place is tried.
    """
    if known is None:
        places = enumerate(_digests(told))
        found = next((place for place, digest in places if digest == record_id), None)
        return None if found is None else _with_output_at(told, found)
    made = _with_output_at(told, _place_in(known, told.outputs[1:]))
    return made if hashlib.sha256(made.to_bytes()).hexdigest() == record_id else None


def _place_in(known: Record, others: Sequence[Output]) -> int:
    """Return where in *known* an output stands that is not among the *others*."""
    if len(known.outputs) == len(others):
        return len(others) + 1  # it has no other: what the sidecar tells of is none of them
    pairs = enumerate(zip(known.outputs, others, strict=False))
    return next((place for place, (one, other) in pairs if one != other), len(others))


def _with_output_at(told: Record, place: int) -> Record:
    """Return *told* with its first output at *place*; without it, where that is beyond the end."""
    own, *others = told.outputs
    left_out = place > len(others)
    outputs = others if left_out else [*others[:place], own, *others[place:]]
    return replace(told, outputs=tuple(outputs))


def _digests(told: Record) -> Iterator[str]:
    """Yield the digests of the records that *told* may be, by the place of its first output.

    Each is hashed, none is written: what they share is written once, and hashed as far as it
    is the same from the beginning.
    """
    own, *others = (_written(output) for output in told.outputs)
    head, tail = replace(told, outputs=()).to_bytes().split(_NO_OUTPUTS)
    rest = memoryview(_BETWEEN.join(others))
    end = b"\n ]" + tail
    so_far = hashlib.sha256(head + _NO_OUTPUTS[:-1] + b"\n  ")
    done = 0
    for other in others:
        found = so_far.copy()
        found.update(own + _BETWEEN)
        found.update(rest[done:])
        found.update(end)
        yield found.hexdigest()
        so_far.update(other + _BETWEEN)
        done += len(other) + len(_BETWEEN)
    so_far.update(own + end)
    yield so_far.hexdigest()
    yield hashlib.sha256(_with_output_at(told, len(others) + 1).to_bytes()).hexdigest()


def _written(output: Output) -> bytes:
    """Return an output as it stands in a record's bytes."""
    told = {**asdict(output), "uri": output.uri}
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, indent=1)
    return text.replace("\n", "\n  ").encode()
