"""The cells of two templates in pairs: which became which."""

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Protocol, TypeVar

_NEAR = 20
"""So many cells further on an edited cell is looked for."""
_SIMILAR = 0.5
"""From here on a cell that stands in another's place is that one, edited."""
_COMPARED = 4_000
"""Characters of a cell that count for its likeness."""
_WORD = re.compile(r"\w+|[^\w\s]")


class Sourced(Protocol):
    """A cell with its source."""

    @property
    def source(self) -> str:
        """What its author wrote."""
        ...


C = TypeVar("C", bound=Sourced)


def aligned(
    old: Sequence[C], new: Sequence[C], meanings: tuple[Sequence[Hashable], Sequence[Hashable]]
) -> Iterator[tuple[C | None, C | None]]:
    """Yield cells in pairs, in the order of the newer template; one with nothing like it is alone.

    *meanings* are what makes cells equal, for each of the old and each of the new ones.
    """
    words = [[_words(cell) for cell in side] for side in (old, new)]
    for tag, a, b, c, d in SequenceMatcher(None, *meanings).get_opcodes():
        if tag == "equal":
            yield from zip(old[a:b], new[c:d], strict=True)
            continue
        taken = c
        for at in range(a, b):
            near = range(taken, min(d, taken + _NEAR))
            like = next((to for to in near if _alike(words[0][at], words[1][to])), None)
            if like is None:
                yield old[at], None
                continue
            yield from ((None, now) for now in new[taken:like])
            yield old[at], new[like]
            taken = like + 1
        yield from ((None, now) for now in new[taken:d])


def _words(cell: Sourced) -> Counter[str]:
    return Counter(_WORD.findall(cell.source[:_COMPARED]))


def _alike(was: Counter[str], now: Counter[str]) -> bool:
    """Tell whether half of the words are the same, in whatever order: that costs their number."""
    both = was.total() + now.total()
    return both > 0 and 2 * (was & now).total() / both >= _SIMILAR
