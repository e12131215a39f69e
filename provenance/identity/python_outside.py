"""What a Python outside of the project's environment has installed: the system's, for one."""

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provenance.errors import InvalidInputError
from provenance.identity.asking import ask, may_be_asked
from provenance.identity.environment import EnvironmentFacts, read_probe

_PROBE = Path(__file__).with_name("probe.py")
_MOST_SAID = 64 << 20
_REMEMBERED = 50


@dataclass(frozen=True)
class _Known:
    """An answer, the places that it comes from, and what these looked like before."""

    facts: EnvironmentFacts
    places: list[str]
    stamp: dict[str, int]


_known: dict[str, _Known] = {}


def outside_facts(program: str, path: str, users: Sequence[Path] = ()) -> EnvironmentFacts | None:
    """Return what the Python *program*, looked up along *path*, is and has installed.

    None where there is none, where it may not be asked (see ``tool_facts``) or does not tell.
    Remembered in this process until something is installed in a folder that it imports from.
    Raises NoAnswerError where it does not answer in time.
    """
    found = shutil.which(program, path=path)
    if found is None or not may_be_asked(found, path, users):
        return None
    known = _known.get(found)
    if known is None or known.places[0] != os.path.realpath(found):
        return _asked(found, path)
    from provenance.identity.probe import stamp  # slow to import, and mostly no Python is asked

    return known.facts if known.stamp == stamp(known.places) else _asked(found, path)


def _asked(found: str, path: str) -> EnvironmentFacts | None:
    # Isolated (-I): neither PYTHON* variables nor the current folder count.
    said = ask([found, "-I", str(_PROBE)], path, _MOST_SAID) or ""
    with suppress(ValueError, InvalidInputError):
        told = read_probe(said)
        facts = EnvironmentFacts.from_json(told)
        if _is_itself(found, told):
            _remember(found, _Known(facts, told["places"], told["stamp"]))
        return facts
    return None


def _is_itself(found: str, told: Mapping[str, Any]) -> bool:
    """Tell whether *found* is what answered, and no shim, which may choose another next time."""
    places = told.get("places") or [""]
    return bool(places[0] == os.path.realpath(found))


def _remember(found: str, known: _Known) -> None:
    if len(_known) >= _REMEMBERED:
        _known.clear()
    _known[found] = known
