"""Two texts as one unified diff."""

import difflib
from collections.abc import Callable

Text = Callable[[str], str | None]
"""Gives the text that was kept under a digest; None where none was kept, or no text."""

MOST_LINES = 400
"""Of a diff: who wants more looks into the repository."""
LONGEST_SOURCE = 4000
"""Lines of a text that is compared: the time that it takes grows with their square."""


def unified(path: str, before: str | None, after: str | None) -> str | None:
    """Return how the text at *path* changed; of one that is new or gone, all of it.

    None where both are missing, where they are equal, or where they are too long to compare.
    """
    if before == after:
        return None
    old, new = (before or "").splitlines(), (after or "").splitlines()
    if max(len(old), len(new)) > LONGEST_SOURCE:
        return None
    names = (
        f"a/{path}" if before is not None else "/dev/null",
        f"b/{path}" if after is not None else "/dev/null",
    )
    lines = list(difflib.unified_diff(old, new, *names, lineterm=""))
    if not lines:
        return "(only the ends of lines changed)"
    more = len(lines) - MOST_LINES
    return "\n".join(lines[:MOST_LINES] + ([f"… {more} more lines"] if more > 0 else []))


def changed_lines(diff: str | None) -> str:
    """Return how many lines a diff removes and adds: ``(−2 +1)``; nothing of no diff."""
    if diff is None:
        return ""
    lines = diff.splitlines()[2:]
    gone = sum(line.startswith("-") for line in lines)
    come = sum(line.startswith("+") for line in lines)
    return f" (\N{MINUS SIGN}{gone} +{come})"
