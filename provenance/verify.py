"""Checking that what is kept is what it says it is: the whole archive, or one file."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from provenance.errors import InvalidInputError
from provenance.identity.key import KEY_VERSION, Preimage
from provenance.record import SIDECAR_SUFFIX, Record, parse_record
from provenance.sidecars import record_with_id, told_by
from provenance.store import MissingObjectError, Store, object_name

_LARGEST = 64 * 1024 * 1024
_LONGEST = 1_000
"""Characters of what is told about a file that somebody else has written."""
_MOST_SIBLINGS = 2_000
"""Where nobody has the record, what is hashed grows with the square of the outputs."""
UNREADABLE = (
    *(ValueError, TypeError, AttributeError, OSError),
    *(RecursionError, MissingObjectError),
)
"""What reading anything may raise that somebody else has written."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, or that is worth knowing."""

    what: str
    """A word for machines: ``corrupt``, ``missing``, ``key``, ``record`` and so on."""
    where: str
    message: str


@dataclass
class Verified:
    """What was checked, and what was found."""

    checked: dict[str, int] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    last: tuple[str, Record] | None = field(default=None, repr=False)
    """The id and the record of the sidecar before: its neighbours often tell of the same."""

    def problem(self, what: str, where: str, message: str) -> None:
        """Note what is wrong."""
        self.problems.append(Finding(what, where, message))

    def note(self, what: str, where: str, message: str) -> None:
        """Note what is worth knowing, and no harm."""
        self.notes.append(Finding(what, where, message))

    def count(self, kind: str) -> None:
        """Count one thing as checked."""
        self.checked[kind] = self.checked.get(kind, 0) + 1

    def take(self, other: "Verified", place: str) -> None:
        """Take over what was found in the file *place*, whose parts have names of their own.

        Those, and what was found, may be anybody's words: no more of them is kept than is read.
        """
        for kind, count in other.checked.items():
            self.checked[kind] = self.checked.get(kind, 0) + count
        for mine, found in ((self.problems, other.problems), (self.notes, other.notes)):
            mine += [
                Finding(one.what, f"{place}: {one.where}"[:_LONGEST], one.message[:_LONGEST])
                for one in found
            ]

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "clean": not self.problems,
            "checked": self.checked,
            "problems": [asdict(found) for found in self.problems],
            "notes": [asdict(found) for found in self.notes],
        }


def check_key(record: Record, where: str, verified: Verified) -> None:
    """Check that a record's key is the hash of its own preimage."""
    version = record.preimage.get("version") if isinstance(record.preimage, dict) else None
    if version is None:
        verified.problem("preimage", where, "There is no preimage that the key could be of.")
        return
    if version != KEY_VERSION:
        told = f"its key is of another version, {version!r}"
        verified.note("key_version", where, f"The key was not computed again: {told}.")
        return
    try:
        key = Preimage.from_json(record.preimage).key
    except InvalidInputError as error:
        verified.problem("preimage", where, f"The preimage cannot be read: {error.message}")
        return
    if key != record.key:
        verified.problem(
            "key", where, f"The key is {record.key}; its preimage gives {key}: one was changed."
        )


def sidecars_at(path: Path) -> list[Path]:
    """Return the sidecars that *path* means: itself, the one beside it, or all below it."""
    if path.is_dir():
        found = sorted(path.rglob(f"*{SIDECAR_SUFFIX}"))
        hint = f"Files that provenote laid down have {SIDECAR_SUFFIX} beside them."
        if not found:
            raise InvalidInputError(f"There is no sidecar below {path}.", hint)
        return found
    beside = (
        path if path.name.endswith(SIDECAR_SUFFIX) else path.with_name(path.name + SIDECAR_SUFFIX)
    )
    if not beside.is_file():
        raise InvalidInputError(
            f"There is no {beside}.", "Give an output that has a sidecar, a sidecar, or a folder."
        )
    return [beside]


def verify_sidecar(path: Path, store: Store | None, verified: Verified) -> None:
    """Check one sidecar and the file that it tells of; with *store* that it has that record.

    What was edited by hand is found because the record, told again from the sidecar, no
    longer has the digest that is the record's id. Who changes that as well is found out by
    an archive, which has no such record.
    """
    verified.count("sidecars")
    where = str(path)
    try:
        body = _read(path)
        record = told_by(body)
        beside = path.with_name(path.name.removesuffix(SIDECAR_SUFFIX))
        _check_file(beside, body["output"], verified)
        check_key(record, where, verified)
        _check_uris(body, where, verified)
        _check_id(body, record, store, verified, where)
    except UNREADABLE as error:
        verified.problem("sidecar", where, f"The sidecar cannot be read: {error}.")


def _read(path: Path) -> dict[str, Any]:
    """Return what a sidecar says; whoever sent it may have put anything in its place."""
    if not path.is_file():  # a pipe would keep us waiting, a device would never end
        raise ValueError("it is no file")
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"it is larger than {_LARGEST // 1024**2} MiB")
    body: dict[str, Any] = json.loads(path.read_bytes())
    siblings = body.get("siblings")
    if isinstance(siblings, list) and len(siblings) > _MOST_SIBLINGS:
        raise ValueError(f"it tells of more than {_MOST_SIBLINGS:,} other outputs")
    return body


def _check_id(
    body: Mapping[str, Any], told: Record, store: Store | None, verified: Verified, where: str
) -> None:
    """Check that the record told by the sidecar has the id that it names, and is archived."""
    claimed = str(body["record_id"])
    archived = _archived(store, claimed)
    met = verified.last[1] if verified.last and verified.last[0] == claimed else None
    own = record_with_id(told, claimed, archived or met)
    if own is None:
        edited = _edited(body, archived) if archived else ""
        changed = f"its id is no longer its own{f'; edited: {edited}' if edited else ''}."
        verified.problem("edited", where, f"The sidecar is not as it was written: {changed}")
        return
    verified.last = (claimed, own)
    if store is None:
        verified.note("no_archive", where, "There is no archive here to ask for the record.")
    elif archived is None:
        verified.problem("unknown_record", where, f"The archive has no record {claimed}.")
    if body["output"].get("sha256") not in own.files:
        _check_page(body["output"], own, store, where, verified)


def _check_page(
    output: Mapping[str, Any], record: Record, store: Store | None, where: str, verified: Verified
) -> None:
    """Check a file that its record does not know: a page may have been rendered anew since."""
    told = f"The record of {record.kind} {record.name} knows no {output.get('name')} like this"
    if record.output(str(output.get("name"))) is None or record.kind != "report":
        verified.problem("edited", where, f"{told}.")
    elif store is None or store.has(str(output.get("sha256"))):
        verified.note("rendered_anew", where, f"{told}: its page was rendered anew since.")
    else:
        verified.problem("edited", where, f"{told}, and the archive has no such page.")


def _check_file(path: Path, output: Mapping[str, Any], verified: Verified) -> None:
    if not path.is_file():
        verified.problem("missing", str(path), "The file that the sidecar tells of is not there.")
        return
    verified.count("files")
    with path.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != output.get("sha256"):
        verified.problem(
            "changed",
            str(path),
            f"The file has SHA-256 {found}; its sidecar says {output.get('sha256')}.",
        )
    elif path.stat().st_size != output.get("size"):
        verified.problem("size", str(path), f"The sidecar says {output.get('size')} bytes.")


def _check_uris(body: Mapping[str, Any], where: str, verified: Verified) -> None:
    """Check the addresses, which are told beside the digests and so are not hashed."""
    for output in (body["output"], *body["siblings"]):
        if output.get("uri") != f"sha256:{output.get('sha256')}":
            verified.problem(
                "edited",
                where,
                f"The address {output.get('uri')} of {output.get('name')} is not its digest.",
            )


def _archived(store: Store | None, record_id: str) -> Record | None:
    if store is None:
        return None
    try:
        data = store.shelf.read(object_name(record_id))
        whole = hashlib.sha256(data).hexdigest() == record_id
        return parse_record(data) if whole else None
    except (FileNotFoundError, MissingObjectError, ValueError):
        return None


def _edited(body: Mapping[str, Any], archived: Record) -> str:
    """Name the fields in which a sidecar differs from the record in the archive."""
    kept = archived.as_json()
    outputs = {one["name"]: one for one in kept.pop("outputs")}
    name = body["output"].get("name")
    kept["output"] = outputs.pop(name, None)
    kept["siblings"] = list(outputs.values())
    return ", ".join(_differences({**body, "record_id": None}, {**kept, "record_id": None}, ""))


def _differences(found: Any, kept: Any, path: str) -> Iterable[str]:
    if isinstance(found, dict) and isinstance(kept, dict):
        for name in sorted({*found, *kept}):
            below = f"{path}.{name}" if path else name
            yield from _differences(found.get(name), kept.get(name), below)
    elif isinstance(found, list) and isinstance(kept, list) and len(found) == len(kept):
        for number, (one, other) in enumerate(zip(found, kept, strict=True)):
            yield from _differences(one, other, f"{path}[{number}]")
    elif found != kept:
        yield path


Progress = Callable[[int, int], None]
"""Is told how many of how many bytes have been checked."""
