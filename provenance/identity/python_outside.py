"""What a Python outside of the project's environment has installed: the system's, for one."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from provenance.errors import InvalidInputError
from provenance.identity.asking import ask, may_be_asked
from provenance.identity.environment import EnvironmentFacts

_PROBE = Path(__file__).with_name("probe.py")
_MOST_SAID = 64 << 20
_REMEMBERED = 50
_TELLING = (".dist-info", ".egg-info", ".egg-link", ".pth")
_known: dict[tuple[object, ...], EnvironmentFacts | None] = {}


def outside_facts(program: str, path: str, users: Sequence[Path] = ()) -> EnvironmentFacts | None:
    """Return what the Python *program*, looked up along *path*, is and has installed.

    None where there is none, where it may not be asked (see ``tool_facts``) or does not tell.
    Remembered in this process until something is installed.
    """
    found = shutil.which(program, path=path)
    if found is None or not may_be_asked(found, path, users):
        return None
    known = (found, *sorted(_stamp(Path(found))))
    if known not in _known:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[known] = _asked(found, path)
    return _known[known]


def _asked(found: str, path: str) -> EnvironmentFacts | None:
    # Isolated (-I): neither PYTHON* variables nor the current folder count.
    said = ask([found, "-I", str(_PROBE)], path, _MOST_SAID) or ""
    with suppress(ValueError, InvalidInputError):
        return EnvironmentFacts.from_json(json.loads(said.strip().rpartition("\n")[2]))
    return None


def _stamp(found: Path) -> Iterator[tuple[str, int]]:
    """Yield names and times that change with each installation."""
    real = Path(os.path.realpath(found))
    yield str(real), real.stat().st_mtime_ns
    for prefix in {found.parent.parent, real.parent.parent, Path("/usr"), Path("/usr/local")}:
        for site in prefix.glob("lib/python*/*-packages"):
            for place in (site, *site.iterdir()):
                if place == site or place.suffix in _TELLING:
                    with suppress(OSError):
                        yield str(place), place.stat().st_mtime_ns
