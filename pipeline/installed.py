"""What is installed in an environment now: asked again when somebody has changed it by hand.

Asking takes a third of a second, so the answer is kept beside the environment, with a stamp of
what tells that anything was installed, removed or replaced since.
"""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from provenance.errors import InvalidInputError
from provenance.identity.environment import (
    EnvironmentFacts,
    InterpreterError,
    describe_environment,
)

FACTS = "provenote-facts.json"
_STAMP = "stamp"
_BROKEN = EnvironmentFacts("", "", "", "", ())
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
    file = root / FACTS
    written = file.stat()
    return _as_stamped(root, _stamp(root), (written.st_mtime_ns, written.st_ino)) or describe(root)


@lru_cache(maxsize=16)
def _as_stamped(root: Path, stamp: str, written: tuple[int, int]) -> EnvironmentFacts | None:
    """Return the kept answer, if it was given under this stamp; it was *written* at a time."""
    del written  # tells answers apart that this remembers
    kept = (root / FACTS).read_text(errors="replace")
    with contextlib.suppress(ValueError, RecursionError, AttributeError, InvalidInputError):
        told = json.loads(kept)
        if told.get(_STAMP) == stamp:
            return EnvironmentFacts.from_json(told)
    return None


def installed_after(root: Path) -> EnvironmentFacts:
    """Return what is installed after users' code ran; where that broke it, facts unlike any."""
    try:
        return installed_now(root)
    except (OSError, InterpreterError, InvalidInputError):
        return _BROKEN


def _stamp(root: Path) -> str:
    """Return what changes with every installation: names and times of what installers leave."""
    lines = sorted(line for site in root.glob("lib/python*/site-packages") for line in _told(site))
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _told(site: Path) -> Iterator[str]:
    for found in os.scandir(site):
        if found.name.endswith(_TELLING):
            for path in (found.name, f"{found.name}/RECORD", f"{found.name}/METADATA"):
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    # Without Path, which takes longer than all else: each execution asks this.
                    yield f"{path} {os.stat(f'{site}/{path}').st_mtime_ns}"  # noqa: PTH116
