"""What every forge's dialect has in common."""

import re
from dataclasses import dataclass
from typing import Any, Protocol

from werkzeug.datastructures import Headers

from app.intake.payload import PayloadError
from app.intake.refs import HEADS, is_ref, is_zero
from app.intake.request import DeliveryId, Push
from pipeline.repository.git import is_sha

_DELIVERY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,99}", re.ASCII)
_ACTOR_LENGTH = 100


@dataclass(frozen=True)
class Ignored:
    """A delivery that is in order and asks for nothing."""

    reason: str


class Forge(Protocol):
    """One dialect of hooks."""

    name: str
    signature_header: str
    """The header that holds ``sha256=`` and the HMAC of the raw body."""

    def read(self, headers: Headers, payload: dict[str, Any]) -> Push | Ignored:
        """Say what a verified delivery asks for; raise PayloadError where it is malformed."""
        ...


@dataclass(frozen=True)
class RefUpdate:
    """A ref that moved, as the payload tells it, not yet checked."""

    ref: object
    before: object
    after: object
    actor: object


def push_of(update: RefUpdate, delivery: DeliveryId) -> Push | Ignored:
    """Check *update* and say what it asks for: only a moved branch asks for something."""
    ref = _text(update.ref, "ref")
    if not ref.startswith("refs/") or not is_ref(ref):
        raise PayloadError(f"{ref[:80]!r} is not the name of a ref.", "Expected refs/heads/….")
    after = _sha(update.after, "after")
    if not ref.startswith(HEADS):
        return Ignored("only pushes to branches are evaluated")
    if is_zero(after):
        return Ignored("the branch was deleted")
    before = _sha(update.before, "before") if update.before is not None else None
    return Push(
        ref=ref,
        branch=ref.removeprefix(HEADS),
        sha=after,
        before=None if before is None or is_zero(before) else before,
        actor=actor_name(update.actor),
        delivery=delivery,
    )


def delivery_id(forge: str, found: object, event: str) -> DeliveryId:
    """Return the identifier of a delivery, checked; raise PayloadError."""
    if not isinstance(found, str) or not _DELIVERY.fullmatch(found):
        raise PayloadError(
            "The delivery has no usable identifier.",
            "Expected up to 100 letters, digits, dots, colons or dashes.",
        )
    return DeliveryId(forge, found, event)


def actor_name(found: object) -> str:
    """Return the name of who pushed as one short line."""
    if not isinstance(found, str):
        return "unknown"
    line = "".join(letter if letter.isprintable() else " " for letter in found)
    return " ".join(line.split())[:_ACTOR_LENGTH] or "unknown"


def _text(found: object, field: str) -> str:
    if not isinstance(found, str):
        raise PayloadError(f"{field!r} is {type(found).__name__}, expected a text.")
    return found


def _sha(found: object, field: str) -> str:
    text = _text(found, field)
    if not is_sha(text):
        raise PayloadError(
            f"{field!r} is {text[:80]!r}, which is not a commit hash.",
            "Expected 40 or 64 hexadecimal digits in lower case.",
        )
    return text
