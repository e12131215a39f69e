"""The key that signs sessions and derives hook secrets."""

import secrets
from contextlib import suppress

from app.settings import Settings
from provenance.files import write_durably

_FILE = "secret_key"
_BYTES = 32


def secret_key(settings: Settings) -> str:
    """Return the operator's key, or the one that this home made for itself at first use.

    Processes that start side by side agree on one key: whoever comes second reads it.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.home / _FILE
    if not path.exists():
        with suppress(FileExistsError):
            write_durably(path, secrets.token_hex(_BYTES).encode(), mode=0o400, replace=False)
    return path.read_text().strip()
