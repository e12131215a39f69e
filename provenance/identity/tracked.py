"""Finding the tracked files that a literal in a source may mean."""

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cached_property

_WILD = re.compile(r"[*?\[]")
_FIRST_PART = re.compile(r"[^/*?\[]+(?=/)")


@dataclass(frozen=True)
class TrackedFiles:
    """The tracked paths of a project, findable by how they end."""

    paths: frozenset[str]
    _answers: dict[str, Sequence[str]] = field(default_factory=dict)

    def ending(self, text: str) -> Sequence[str]:
        """Return the files whose path is *text*, or ends with it after a ``/``."""
        tail = _tail(text)
        return _matching(self._files.get(posixpath.basename(tail), ()), tail) if tail else ()

    def meant_by(self, text: str) -> Sequence[str]:
        """Return what a file, directory or pattern means, wherever it is joined to.

        A directory means all files below it but Python sources: those are found as imports.
        """
        if text not in self._answers:
            self._answers[text] = tuple(self._meant_by(_tail(text)))
        return self._answers[text]

    def at(self, path: str) -> Sequence[str]:
        """Return what a file, directory or pattern means at exactly this place."""
        place = posixpath.normpath(path)
        if place.startswith("../") or place in ("..", "/"):
            return ()
        if _WILD.search(place):
            return self._globbed(place, anywhere=False)
        if place in self.paths:
            return (place,)
        return self._below([place]) if place == "." or place in self._all_directories else ()

    def _meant_by(self, tail: str) -> Iterable[str]:
        if not tail:
            return ()
        if _WILD.search(tail):
            return self._globbed(tail, anywhere=True)
        name = posixpath.basename(tail)
        files = _matching(self._files.get(name, ()), tail)
        return files or self._below(_matching(self._directories.get(name, ()), tail))

    def _globbed(self, pattern: str, *, anywhere: bool) -> Sequence[str]:
        if not re.search(r"\w", pattern):
            return ()
        first = _FIRST_PART.match(pattern)
        if first and first.group() not in self._directories:
            return ()
        # `**/` may stand for nothing; a single `*` crosses `/` here, which only adds files.
        expression = translate(pattern.replace("**/", "*"))
        matches = re.compile(f"(?:.*/)?{expression}" if anywhere else expression).match
        return sorted(path for path in self.paths if matches(path))

    def _below(self, directories: Iterable[str]) -> Sequence[str]:
        starts = tuple("" if directory == "." else f"{directory}/" for directory in directories)
        if not starts:
            return ()
        return sorted(
            path for path in self.paths if path.startswith(starts) and not path.endswith(".py")
        )

    @cached_property
    def _files(self) -> dict[str, list[str]]:
        return _by_name(self.paths)

    @cached_property
    def _all_directories(self) -> frozenset[str]:
        found: set[str] = set()
        for path in self.paths:
            parent = posixpath.dirname(path)
            while parent and parent not in found:
                found.add(parent)
                parent = posixpath.dirname(parent)
        return frozenset(found)

    @cached_property
    def _directories(self) -> dict[str, list[str]]:
        return _by_name(self._all_directories)


def _by_name(paths: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.rpartition("/")[2], []).append(path)
    return found


def _matching(candidates: Iterable[str], tail: str) -> list[str]:
    return [path for path in candidates if path == tail or path.endswith(f"/{tail}")]


def _tail(text: str) -> str:
    """Return the end of a relative path, freed of the steps that lead up to its start."""
    if text.startswith("/"):
        return ""
    tail = posixpath.normpath(text) if "." in text or "//" in text else text.rstrip("/")
    while tail.startswith("../"):
        tail = tail[3:]
    return "" if tail in (".", "..") else tail
