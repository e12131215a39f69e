"""The secrets that hooks are signed with: derived, never stored."""

import hashlib
import hmac
import re

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}", re.ASCII)


def hook_secret(secret_key: str, project: str, generation: int) -> str:
    """Return the secret of *project*'s hooks after *generation* - 1 rotations (64 hex)."""
    message = f"hook:{project}:{generation}".encode()
    return hmac.new(secret_key.encode(), message, hashlib.sha256).hexdigest()


def valid_secrets(secret_key: str, project: str, generation: int) -> tuple[str, ...]:
    """Return the secrets that are taken now: the current one and the one before it.

    The one before stays valid until the next rotation, so that no push is lost while
    somebody types the new one into the forge.
    """
    generations = range(max(1, generation - 1), generation + 1)
    return tuple(hook_secret(secret_key, project, number) for number in generations)


def sign(secret: str, body: bytes) -> str:
    """Return the signature header of *body*: ``sha256=`` and 64 hexadecimal digits."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(header: str, body: bytes, secrets: tuple[str, ...]) -> bool:
    """Tell whether *header* is the signature of *body* with one of *secrets*.

    All secrets are tried, always, and compared in constant time.
    """
    if not _SIGNATURE.fullmatch(header):
        return False
    matches = [hmac.compare_digest(sign(secret, body), header) for secret in secrets]
    return any(matches)
