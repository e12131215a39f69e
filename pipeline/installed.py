"""What is installed in an environment now: asked again when somebody has changed it by hand.

Asking takes a third of a second, so the answer is kept beside the environment, with a stamp of
what tells that anything was installed, removed or replaced since.
"""

import contextlib
import hashlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

from provenance.identity.environment import EnvironmentFacts, describe_environment

FACTS = "provenote-facts.json"
_STAMP = "stamp"
_TELLING = (".dist-info", ".egg-info", ".egg-link", ".pth")


def describe(root: Path) -> EnvironmentFacts:
    """Ask the environment at *root* what it has installed, and keep the answer."""
    stamp = _stamp(root)  # taken first: what is installed meanwhile makes it an old one
    facts = describe_environment(root / "bin" / "python")
    temporary = root / f"{FACTS}.{uuid.uuid4().hex}"
    temporary.write_text(json.dumps({**facts.to_json(), _STAMP: stamp}))
    temporary.rename(root / FACTS)
    return facts


def installed_now(root: Path) -> EnvironmentFacts:
    """Return what the environment at *root* has installed; it was described before."""
    kept = json.loads((root / FACTS).read_text())
    if kept.get(_STAMP) != _stamp(root):
        return describe(root)
    return EnvironmentFacts.from_json(kept)


def _stamp(root: Path) -> str:
    """Return what changes with every installation: names and times of what installers leave."""
    lines = sorted(line for site in root.glob("lib/python*/site-packages") for line in _told(site))
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _told(site: Path) -> Iterator[str]:
    for found in site.iterdir():
        if found.suffix in _TELLING:
            for path in (found, found / "RECORD"):
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    yield f"{path.relative_to(site)} {path.stat().st_mtime_ns}"
