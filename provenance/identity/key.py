"""The key of a result, the preimage that it is the hash of, and why two keys differ."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Literal, Self, cast

from provenance.errors import InvalidInputError
from provenance.identity import canonical, differences

KEY_VERSION = "key:v1"

ReasonCode = Literal["new", "code", "params", "inputs", "environment", "same"]


@dataclass(frozen=True)
class Preimage:
    """Everything that determines an output.

    ``kind`` is what executes (python, sql, command, notebook, …) and ``stage`` its name;
    ``code`` holds semantic hashes, ``inputs`` the content hash of each input by its name,
    ``outputs`` the declared names, ``environment`` what ``keyed_environment`` gave.
    """

    kind: str
    stage: str
    code: dict[str, object]
    params: dict[str, object]
    inputs: dict[str, str]
    outputs: tuple[str, ...]
    environment: dict[str, object]

    @cached_property
    def key(self) -> str:
        """64 hexadecimal digits; raises UncanonicalError for an unsupported value."""
        return canonical.digest(KEY_VERSION, self._content())

    def to_json(self) -> dict[str, object]:
        """Return JSON data from which ``from_json`` makes a preimage with the same key."""
        encoded = canonical.encode(self._content(), self.stage)
        return {"version": KEY_VERSION, **cast("dict[str, object]", encoded)}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Read what ``to_json`` wrote; raise InvalidInputError where it is something else."""
        if data.get("version") != KEY_VERSION:
            raise InvalidInputError(
                f"A preimage of version {data.get('version')!r} was found; "
                f"this provenote reads {KEY_VERSION}."
            )
        names = {field.name for field in fields(cls)}
        if missing := sorted(names - set(data)):
            raise InvalidInputError(f"The stored preimage lacks {', '.join(missing)}.")
        return cls(**{name: canonical.decode(data[name]) for name in names})  # type: ignore[arg-type]  # written by to_json

    def _content(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Reason:
    """Why something is made again: a code for machines and a sentence for people."""

    code: ReasonCode
    sentence: str


def why(old: Preimage | None, new: Preimage) -> Reason:
    """Return what makes the key of *new* differ from that of *old*.

    The sentence names every difference, in the order code, params, inputs, environment; the
    code is the first of these. Equal preimages give the code ``same``: nothing recorded
    differs, so the caller knows another reason (an output is gone, or it was forced).
    """
    if old is None:
        return Reason("new", "new: never made before")
    found: list[tuple[ReasonCode, list[str]]] = [
        ("code", _definition(old, new) + differences.of_code(old.code, new.code)),
        ("params", differences.of_values(old.params, new.params)),
        ("inputs", differences.of_inputs(old.inputs, new.inputs)),
        ("environment", differences.of_environment(old.environment, new.environment)),
    ]
    parts = [(code, changes) for code, changes in found if changes]
    if not parts:
        return Reason("same", "same: nothing recorded differs")
    sentence = "; ".join(f"{code}: {differences.listed(changes)}" for code, changes in parts)
    return Reason(parts[0][0], sentence)


def _definition(old: Preimage, new: Preimage) -> list[str]:
    changes = []
    for word in ("kind", "stage"):
        before, after = getattr(old, word), getattr(new, word)
        if before != after:
            changes.append(f"{word} {before} → {after}")
    if old.outputs != new.outputs:
        before, after = ", ".join(old.outputs) or "none", ", ".join(new.outputs) or "none"
        changes.append(f"declared outputs {before} → {after}")
    return changes
