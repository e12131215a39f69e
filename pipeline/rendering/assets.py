"""The libraries that draw on pages: files of ours, each under an address that names its bytes.

A page asks for ``../../assets/<SHA-256>/<name>``, so that it is drawn for ever by the very file
that it was made with. The files of this version lie in ``report_templates/assets``; those of
earlier ones are listed there by their digests, and kept in the store by the pages that use them.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.rendering.theme import ASSETS, VERSIONS
from provenance.store import MissingObjectError, Store

FROM_PAGE = "../../assets/"
"""What an asset's address begins with on a page, which is served at ``/runs/<id>/report``."""
_MEDIA = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@dataclass(frozen=True)
class Asset:
    """One file: a script or a style sheet that needs no other."""

    name: str
    sha256: str

    @property
    def address(self) -> str:
        """The address without what stands before it on a page."""
        return f"{self.sha256}/{self.name}"

    @property
    def media_type(self) -> str:
        """The file's media type, by its suffix."""
        return _MEDIA[Path(self.name).suffix]


@cache
def _listed() -> dict[str, dict[str, Any]]:
    listed: dict[str, dict[str, Any]] = json.loads(VERSIONS.read_bytes())
    return listed


def asset(name: str) -> Asset:
    """Return the asset *name* of this version."""
    return Asset(name, _listed()["files"][name]["sha256"])


def known_asset(sha256: str, name: str) -> Asset:
    """Return the asset with that digest, of this version or an earlier one.

    Nothing else of the store is ever given out as an asset. Raises MissingObjectError.
    """
    files, retired = _listed()["files"], _listed()["retired"]
    of_now = name in files and files[name]["sha256"] == sha256
    if of_now or retired.get(sha256) == name:
        return Asset(name, sha256)
    raise MissingObjectError(f"There is no asset {name} with the digest {sha256}.")


def asset_bytes(store: Store, found: Asset) -> bytes:
    """Return an asset's bytes; raise MissingObjectError where an earlier one is kept nowhere."""
    if _listed()["files"].get(found.name, {}).get("sha256") == found.sha256:
        return (ASSETS / found.name).read_bytes()
    return store.read(found.sha256)


def keep_asset(store: Store, name: str) -> None:
    """Put an asset of this version into the store, where the pages that use it find it later."""
    if not store.keep(asset(name).sha256):
        store.put_file(ASSETS / name)
