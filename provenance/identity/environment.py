"""What an interpreter is and has installed, and how much of that belongs into a key."""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from provenance.errors import InvalidInputError, UnavailableError
from provenance.identity.asking import answer

_PROBE = Path(__file__).with_name("probe.py")
_PROBE_SECONDS = 120
_MOST_SAID = 64 << 20
_RECORD_DIGITS = 16


class InterpreterError(UnavailableError):
    """Raised when a Python interpreter cannot be started or does not describe itself."""

    code = "interpreter"


@dataclass(frozen=True)
class Distribution:
    """One installed distribution.

    ``record_sha256`` stands for its files: the hash of the rows of RECORD that tell content
    (without scripts, byte code and installers' notes, which differ from place to place), or
    of its metadata where there is no RECORD. ``modules`` are the top-level names that it
    brings, ``requires`` the normalised names of what it needs, extras left out.
    """

    name: str
    version: str
    record_sha256: str
    modules: tuple[str, ...]
    requires: tuple[str, ...]


@dataclass(frozen=True)
class EnvironmentFacts:
    """A Python interpreter with all its distributions; ``python`` is like ``3.11.7``."""

    implementation: str
    python: str
    abi: str
    platform: str
    distributions: tuple[Distribution, ...]

    @cached_property
    def digest(self) -> str:
        """Tells apart what is installed: changes with every package that comes, goes or changes."""
        return hashlib.sha256(json.dumps(self.to_json()).encode()).hexdigest()

    def to_json(self) -> dict[str, object]:
        """Return JSON data that ``from_json`` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> "EnvironmentFacts":
        """Read what ``to_json`` wrote; raise InvalidInputError where it is something else."""
        try:
            entries = data["distributions"]
            if not isinstance(entries, list | tuple):
                raise TypeError("distributions is no list")
            words = ("implementation", "python", "abi", "platform")
            plain = {word: str(data[word]) for word in words}
            return cls(**plain, distributions=tuple(_distribution(entry) for entry in entries))
        except (KeyError, TypeError) as error:
            raise InvalidInputError(f"This describes no environment: {error!r}.") from error


def describe_environment(python: Path) -> EnvironmentFacts:
    """Ask the interpreter *python* what it is and has installed; raise InterpreterError.

    It runs isolated (``-I``): neither ``PYTHON*`` variables nor the current directory count.
    Packages may run code of theirs whenever Python starts: it gets nothing of ours, a folder of
    its own, and what it leaves running is ended.
    """
    argv = [str(python.absolute()), "-I", str(_PROBE)]
    try:
        status, said = answer(argv, os.defpath, _MOST_SAID, _PROBE_SECONDS)
        data = read_probe(said) if status == 0 else {}
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise InterpreterError(
            f"{python} could not be asked to describe itself: {error}",
            "Is it a Python interpreter, 3.8 or newer, that this user may execute?",
        ) from error
    if status != 0:
        words = said.strip()[-2000:]
        raise InterpreterError(
            f"{python} ended with status {status} when asked to describe itself: {words}",
            "Rebuild the environment.",
        )
    return EnvironmentFacts.from_json(data)


def read_probe(said: str) -> dict[str, Any]:
    """Return the object that ``probe.py`` told, whatever else was printed around it.

    Raises ValueError where there is none.
    """
    for line in reversed(said.splitlines()):
        if line.startswith("{"):
            told: dict[str, Any] = json.loads(line)
            return told
    raise ValueError("it printed no description")


def keyed_environment(
    facts: EnvironmentFacts, imports: frozenset[str], *, everything: bool = False
) -> dict[str, object]:
    """Return the part of *facts* that determines what code with these *imports* does.

    That is the interpreter, and each distribution reachable from the top-level names in
    *imports* through requirements, as ``{name: "version record:digits"}``. Names that no
    distribution brings (the standard library, the project's own) add nothing. With
    *everything*, all distributions count: for code whose imports are only known when it runs.
    """
    reached = facts.distributions if everything else _reachable(facts.distributions, imports)
    return {
        "implementation": facts.implementation,
        "python": facts.python,
        "abi": facts.abi,
        "platform": facts.platform,
        "distributions": {
            entry.name: f"{entry.version} record:{entry.record_sha256[:_RECORD_DIGITS]}"
            for entry in sorted(reached, key=lambda entry: entry.name)
        },
    }


def normalised_name(name: str) -> str:
    """Return the name of a distribution as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _reachable(
    distributions: Iterable[Distribution], imports: frozenset[str]
) -> Iterable[Distribution]:
    by_name = {entry.name: entry for entry in distributions}
    waiting = [entry.name for entry in by_name.values() if not imports.isdisjoint(entry.modules)]
    reached: dict[str, Distribution] = {}
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in reached:
            reached[name] = by_name[name]
            waiting.extend(by_name[name].requires)
    return reached.values()


def _distribution(entry: object) -> Distribution:
    if not isinstance(entry, Mapping):
        raise TypeError(f"{entry!r:.80} describes no distribution")
    return Distribution(
        name=normalised_name(str(entry["name"])),
        version=str(entry["version"]),
        record_sha256=str(entry["record_sha256"]),
        modules=tuple(str(name) for name in entry["modules"]),
        requires=tuple(normalised_name(str(name)) for name in entry["requires"]),
    )
