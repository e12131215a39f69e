"""Which tracked files a text may mean, whatever language it is written in.

Nothing here knows quotes or grammar: runs of characters that paths are made of are compared
with the ends and beginnings of tracked paths. That finds more files than are meant, which
costs a rerun; it must never find fewer.
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from provenance.identity.tracked import TrackedFiles

_WORD = re.compile(r"[\w./+@~-]+")
# Overlapping on purpose: where a quote is Octave's transpose, the next pair is still found.
_QUOTED = re.compile(r"""(?=(["'`])([\w.+@-]+)\1)""")
# Words with ``*``, ``?`` and ``[…]``; where these are also arithmetic, only quoted words count.
_GLOB = re.compile(r"[\w./+@~!^*?\[\]-]+")
_QUOTED_GLOB = re.compile(r"""(?=(["'`<])([\w./+@~!^*?\[\]-]+)["'`>])""")
_WILD = re.compile(r"[*?]|\[(?=[^\[\]]*\])")
_TRANSPOSED = re.compile(r"\.?[*?\[^/+-]+")
_BETWEEN_WILD = re.compile(r"[*?]+|\[!?\]?[^\]]*\]")
_CHOICES = re.compile(r"\{[^{}\s]*(?:,|\.\.)[^{}\s]*\}")
_VARIABLE = re.compile(r"\$(?:\{\w+\}|\w+)")
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Words:
    """What a text says that may be paths.

    ``runs`` hold a dot or slash, ``bare`` are quoted, ``globs`` stand for several files.
    """

    runs: frozenset[str] = frozenset()
    bare: frozenset[str] = frozenset()
    globs: frozenset[str] = frozenset()


def words_of(text: str, *, is_code: bool = False) -> Words:
    """Return the words of *text* that may name files; shell variables in them stand apart.

    In code of a language where ``*`` and ``[`` are arithmetic, patterns are quoted.
    """
    plain = _VARIABLE.sub(" ", text).replace("\\\\", "/")
    runs = {word for word in _WORD.findall(plain) if "." in word or "/" in word}
    bare = {word for _, word in _QUOTED.findall(text)}
    globs = filter(_is_glob, _quoted_globs(text) if is_code else _unquoted_globs(plain))
    return Words(*(frozenset(filter(_is_short, words)) for words in (runs, bare, globs)))


def _unquoted_globs(text: str) -> Iterable[str]:
    return _GLOB.findall(_CHOICES.sub("*", text))


def _quoted_globs(text: str) -> Iterable[str]:
    for quote, word in _QUOTED_GLOB.findall(_CHOICES.sub("*", text)):
        # Between two transposed matrices stands an operator: ``a'*b'``.
        if quote != "'" or not _TRANSPOSED.match(word) or re.match(r"[*?]+\.\w|\.{0,2}/", word):
            yield word


def _is_glob(word: str) -> bool:
    """Tell patterns from what has no letter, and from ``a[i]``, an element of something."""
    if not _WILD.search(word) or not re.search(r"\w", word):
        return False
    return bool(re.search(r"[*?./]|\[[^\]]*-", word))


def _is_short(word: str) -> bool:
    return len(word) <= _LONGEST


@dataclass(frozen=True)
class Mentions:
    """The tracked paths of a project, findable by what texts call them."""

    paths: frozenset[str]
    _answers: dict[str, frozenset[str]] = field(default_factory=dict)

    def at(self, place: str) -> frozenset[str]:
        """Return the file at exactly *place*, or all files below the directory there."""
        path = posixpath.normpath(place)
        if path == ".":
            return self.paths
        return frozenset([path]) if path in self.paths else self.below(path)

    def below(self, directory: str) -> frozenset[str]:
        """Return all files below *directory*."""
        start = f"{directory}/" if directory else ""
        return frozenset(path for path in self.paths if path.startswith(start))

    def meant(self, words: Words, text: str, beside: str) -> set[str]:
        """Return the files that *words* of *text* may mean; *beside* is the script's folder."""
        found: set[str] = set()
        for word in words.runs:
            found |= self._of_run(word)
        for word in words.bare:
            if not word.strip("."):
                continue
            found |= self.at(word) | self.at(posixpath.join(beside, word))
        for word in words.globs:
            found.update(self.matching(word))
        # Names with blanks and such are no runs of path characters: they are looked for whole.
        found.update(path for path in self._odd if posixpath.basename(path) in text)
        return found

    def matching(self, pattern: str) -> Iterable[str]:
        """Return the files that *pattern* stands for, from whatever folder it is looked at."""
        tail = _tail(pattern).rstrip("/")
        # Most words with a star are none: their longest piece is in no path.
        if max(_BETWEEN_WILD.split(tail), key=len) not in self._all:
            return ()
        return self._patterns.meant_by(tail)

    def directories(self, tail: str) -> set[str]:
        """Return the directories whose path is *tail*, or ends with it after a ``/``."""
        wanted = _tail(tail)
        if not wanted:
            return {""} if tail.strip("./") == "" and not tail.startswith("..") else set()
        return {path for path in self._directories if path == wanted or path.endswith(f"/{wanted}")}

    def files_ending(self, tail: str) -> list[str]:
        """Return the files whose path is *tail*, or ends with it after a ``/``."""
        wanted = _tail(tail)
        named = self._by_name.get(posixpath.basename(wanted), ()) if wanted else ()
        return [path for path in named if path == wanted or path.endswith(f"/{wanted}")]

    def _of_run(self, word: str) -> frozenset[str]:
        if word not in self._answers:
            self._answers[word] = frozenset(self._found(word))
        return self._answers[word]

    def _found(self, word: str) -> Iterable[str]:
        tail = _tail(word)
        if not tail:
            return ()
        # A sentence may end with the name.
        named = [*self.files_ending(tail), *self.files_ending(tail.rstrip("."))]
        return (
            [*named, *self._beginning(tail)]
            if "/" in word.strip("/.") or word[-1] == "/"
            else named
        )

    def _beginning(self, tail: str) -> Iterable[str]:
        """Yield files in whose path *tail* begins a part: ``data/``, ``data/part_``, ``lib/x``."""
        start = self._all.find(f"/{tail}")
        while start >= 0:
            line = self._all.rfind("\n", 0, start) + 1
            yield self._all[line + 1 : self._all.index("\n", start)]
            start = self._all.find(f"/{tail}", self._all.index("\n", start))

    @cached_property
    def _patterns(self) -> TrackedFiles:
        return TrackedFiles(self.paths)

    @cached_property
    def _all(self) -> str:
        usable = sorted(path for path in self.paths if "\n" not in path)
        return "".join(f"/{path}\n" for path in usable)

    @cached_property
    def _odd(self) -> tuple[str, ...]:
        return tuple(
            path for path in sorted(self.paths) if not _WORD.fullmatch(posixpath.basename(path))
        )

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(posixpath.basename(path), []).append(path)
        return found

    @cached_property
    def _directories(self) -> frozenset[str]:
        found: set[str] = set()
        for path in self.paths:
            parent = posixpath.dirname(path)
            while parent and parent not in found:
                found.add(parent)
                parent = posixpath.dirname(parent)
        return frozenset(found)


def _tail(word: str) -> str:
    """Return the end of a path, freed of the steps that lead up to its start."""
    slash = "/" if word.endswith("/") else ""
    tail = posixpath.normpath(word.lstrip("/") or ".")
    while tail.startswith("../"):
        tail = tail[3:]
    return "" if tail in (".", "..") else tail + slash
