"""Texts of pages: times, durations, numbers, hashes and marks. Text in, text out, no markup."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.progress import before_words, left_words, state_words
from provenance.ledger.columns import utc_now
from provenance.ledger.states import Status, Verdict

if TYPE_CHECKING:
    from flask import Flask  # commands print by these, too

MINUS = "\N{MINUS SIGN}"
_THIN = "\N{NARROW NO-BREAK SPACE}"
_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (86400 * 14, 86400, "days"))


@dataclass(frozen=True)
class Mark:
    """A verdict or state as a shape, a word, and a class that colours both."""

    glyph: str
    word: str
    css: str


_MARKS: dict[str, Mark] = {
    Verdict.PASSED: Mark("✓", "passed", "passed"),
    Verdict.FAILED: Mark("✕", "failed", "failed"),
    Verdict.ERROR: Mark("!", "error", "error"),
    Verdict.CANCELLED: Mark("–", "cancelled", "idle"),
    Verdict.OUTPUT_LIMIT: Mark("!", "output limit", "error"),
    Verdict.OUT_OF_MEMORY: Mark("!", "out of memory", "error"),
    Verdict.TIMED_OUT: Mark("!", "timed out", "error"),
    Verdict.WORKER_LOST: Mark("!", "worker lost", "error"),
    Status.QUEUED: Mark("·", "queued", "idle"),
    Status.RUNNING: Mark("▸", "running", "running"),
    Status.DEAD: Mark("!", "given up", "error"),
}
REUSED = Mark("=", "reused", "reused")


def mark(verdict: str | None, status: str = Status.FINISHED) -> Mark:
    """Return the mark of a run or evaluation: of its verdict once it is over, else its state."""
    if status == Status.FINISHED or (status == Status.DEAD and verdict):
        return _MARKS.get(verdict or "", Mark("·", "no verdict", "idle"))
    return _MARKS[status]


def ago(at: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago *at* was, as a reader would say it: ``12 min ago``."""
    if at is None:
        return ""
    seconds = ((now or utc_now()) - at).total_seconds()
    if abs(seconds) < 5:
        return "just now"
    for below, unit, name in _STEPS:
        if abs(seconds) < below:
            number = int(abs(seconds) // unit)
            word = "day" if name == "days" and number == 1 else name
            return f"in {number}{_THIN}{word}" if seconds < 0 else f"{number}{_THIN}{word} ago"
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def exact(at: datetime | None) -> str:
    """Return *at* in UTC to the second, for a title and for readers of a page without scripts."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(at: datetime | None) -> str:
    """Return *at* for the ``datetime`` attribute."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: float | None) -> str:
    """Return a duration to two figures: ``0.21 s``, ``9.8 s``, ``12 min``, ``1.5 h``."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    for limit, unit, name in ((0.0995, 0.001, "ms"), (99.5, 1, "s"), (5940, 60, "min")):
        if seconds < limit:
            figures = f"{seconds / unit:.0f}" if name == "ms" else _two_figures(seconds / unit)
            return f"{figures}{_THIN}{name}"
    return f"{_two_figures(seconds / 3600)}{_THIN}h"


def number(value: Any) -> str:
    """Return a number for reading: thousands apart, four figures after them, a real minus."""
    if value is None:
        return "not a number"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return "not a number"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", MINUS)
    if abs(value) >= 1000:
        return f"{value:,.1f}".replace("-", MINUS)
    return f"{value:.4g}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """Return a change with its sign: ``+5.6``, ``−0.8``."""
    if value is None:
        return ""
    # A difference of two decimals carries noise of its binary form behind its real figures.
    text = number(float(f"{value:.4g}"))
    return text if text.startswith(MINUS) else f"+{text}"


def size(count: int | None) -> str:
    """Return a size in bytes for reading: ``1.2 MB``."""
    if count is None:
        return ""
    value = float(count)
    for name in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{_two_figures(value)}{_THIN}{name}" if name != "B" else f"{count}{_THIN}B"
        value /= 1000
    return f"{_two_figures(value)}{_THIN}TB"


def short(digest: str | None) -> str:
    """Return the first eight characters of a hash."""
    return (digest or "")[:8]


def short_id(identifier: str) -> str:
    """Return an identifier cut to its kind and its last six characters, which tell it apart."""
    kind, _, rest = identifier.rpartition("_")
    return f"{kind}_…{rest[-6:]}" if kind and len(rest) > 8 else identifier


def value_text(value: Any) -> str:
    """Return the value of a parameter for reading."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: ``1 commit``, ``3 commits``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def capitalised(text: str) -> str:
    """Return *text* as the beginning of a line; the rest of it stays as it is."""
    return text[:1].upper() + text[1:]


def install(app: "Flask") -> None:
    """Make the filters known to the templates of *app*."""
    named = (ago, exact, iso, duration, number, signed, size, short, short_id, value_text, plural)
    for function in named:
        app.jinja_env.filters[function.__name__] = function
    app.jinja_env.filters |= {
        "state_words": state_words,
        "before_words": before_words,
        "left_words": left_words,
    }
    app.jinja_env.filters["capitalised"] = capitalised
    app.jinja_env.globals["mark"] = mark
    app.jinja_env.globals["REUSED"] = REUSED


def _two_figures(value: float) -> str:
    if value >= 9.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"
