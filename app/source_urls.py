"""The addresses of sources, which the operator knows and a repository must not."""

import json
import os
import tomllib
from pathlib import Path

from app.settings import PREFIX, SettingsError
from provenance.files import write_durably

_FILE = "sources.toml"
_SUFFIX = "_URL"


def read_source_urls(home: Path) -> dict[str, str]:
    """Return the address of each source by the variable that manifests name (``url_env``).

    They come from ``sources.toml`` in the home directory, and from environment variables,
    which win. Only names that end in ``_URL`` count, and none of provenote's own: a manifest
    is written by whoever may push, and must not be able to name our ledger or some key.
    """
    known = _in_file(home) | dict(os.environ)
    return {
        name: value
        for name, value in known.items()
        if name.endswith(_SUFFIX) and not name.startswith(PREFIX)
    }


def _in_file(home: Path) -> dict[str, str]:
    path = home / _FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f'{path}: {error}. Expected lines like NAME_URL = "…".') from error
    wrong = [name for name, value in content.items() if not isinstance(value, str)]
    if wrong:
        raise SettingsError(f'{path}: {wrong[0]} is no text. Expected NAME_URL = "…".')
    return content


def remember_source_urls(home: Path, urls: dict[str, str]) -> None:
    """Add *urls* to ``sources.toml``, for the demo, which nobody exports variables for."""
    merged = _in_file(home) | urls
    # A TOML basic string and a JSON string are written alike.
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in sorted(merged.items())]
    write_durably(home / _FILE, "".join(lines).encode(), mode=0o600)
