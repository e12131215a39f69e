"""One look at a project's files, shared by all closures that are taken in it."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provenance.identity.resolve import Resolver
from provenance.identity.sources import Directory, FileFacts
from provenance.identity.syntax import PythonFacts
from provenance.identity.tracked import TrackedFiles

Roots = tuple[str, ...]

REMEMBERED = FileFacts()
"""What this process knows of files that it has read, by what tells one state from another."""

# A project that is installed editable is imported from here, though nobody named it as a root.
_CUSTOMARY_ROOT = "src"
# `test` is a package of the standard library that nothing but its own tests imports.
_SHADOWABLE = sys.stdlib_module_names - {"test"}


@dataclass
class _Seen(Directory):
    """A directory whose files are looked at once each."""

    _exact: dict[str, str | None] = field(default_factory=dict)
    _python: dict[str, tuple[str, PythonFacts] | None] = field(default_factory=dict)

    def exact(self, path: str) -> str | None:
        """Return the SHA-256 of the file at *path* when it was looked at."""
        if path not in self._exact:
            self._exact[path] = super().exact(path)
        return self._exact[path]

    def python(self, path: str) -> tuple[str, PythonFacts] | None:
        """Return the hash of the source at *path*, and what it said when it was looked at."""
        if path not in self._python:
            self._python[path] = super().python(path)
        return self._python[path]


class Survey:
    """The files below *root* as they are now; *tracked* are the project's, relative to it.

    Each file and each directory is looked at once while a survey lives, so it must not outlive
    anything that may change them: after an execution, a new one is made.
    """

    def __init__(self, root: Path, tracked: frozenset[str], facts: FileFacts = REMEMBERED) -> None:
        self.directory: Directory = _Seen(root, facts)
        self.resolver = Resolver(self.directory)
        self.tracked = TrackedFiles(tracked)
        self._shadows: dict[str, Sequence[str]] = {}
        self._roots: dict[tuple[str, ...], Roots] = {}

    def roots(self, search: Sequence[str]) -> Roots:
        """Return the directories that ``sys.path`` begins with, with the customary one."""
        named = tuple("" if root in (".", "") else root.strip("/") for root in search)
        if named not in self._roots:
            customary = any(path.startswith(f"{_CUSTOMARY_ROOT}/") for path in self.tracked.paths)
            add = customary and _CUSTOMARY_ROOT not in named
            self._roots[named] = (*named, _CUSTOMARY_ROOT) if add else named
        return self._roots[named]

    def shadows(self, root: str) -> Iterable[str]:
        """Return the names of the standard library that may be imported from *root* instead."""
        if root not in self._shadows:
            importable = self.resolver.importable(root)
            self._shadows[root] = tuple(_SHADOWABLE.intersection(importable))
        return self._shadows[root]
