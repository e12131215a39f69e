"""How single values are set on a report page."""

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

VERDICTS = {
    "passed": ("✓", "passed"),
    "failed": ("✕", "failed"),
    "error": ("!", "error"),
    "cancelled": ("–", "cancelled"),
    "timed_out": ("!", "timed out"),
    "out_of_memory": ("!", "out of memory"),
    "output_limit": ("!", "output limit"),
    "worker_lost": ("!", "worker lost"),
}
"""Shape and word of each verdict, so that nothing depends on colour alone."""


def verdict_mark(verdict: str) -> tuple[str, str]:
    """Return the shape and the word of *verdict*."""
    return VERDICTS.get(verdict, ("!", verdict.replace("_", " ")))


def short(digest: str) -> str:
    """Return the eight characters of a hash or commit that are shown in running text."""
    return digest[:8]


def moment(when: datetime) -> str:
    """Return *when* as a person reads it, to the minute, in UTC."""
    utc = when.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


def duration(seconds: float) -> str:
    """Return a duration to two figures."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 0.995:
        return f"{seconds:.2f} s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def size(count: int) -> str:
    """Return a number of bytes in decimal units."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}" if unit != "B" else f"{count} B"
        value /= 1000
    return f"{value:,.4g} TB"


def number(value: float | None) -> str:
    """Return a metric's value to five figures, with separators and a true minus sign."""
    if value is None:
        return "–"
    whole = float(value).is_integer() and abs(value) < 1e15
    large = 1e4 <= abs(value) < 1e15
    text = f"{value:,.0f}" if whole or large else f"{value:,.5g}"
    return text.replace("-", "−")


def plain_value(value: object) -> str:
    """Return a parameter's JSON value as text: strings bare, the rest as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def slug(text: str) -> str:
    """Return an anchor for a heading; the same text always gives the same anchor."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[^\w]+", "-", folded).strip("-") or "section"


_UNSAFE_IN_SCRIPT = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def script_json(value: object) -> str:
    """Return *value* as JSON that cannot end or escape the script element it stands in.

    Raises ValueError for numbers that JSON does not have (NaN, infinities).
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_UNSAFE_IN_SCRIPT)


def drawing_json(value: Any) -> str:
    """Return what is drawn as JSON for a script element; what is no number becomes null."""
    try:
        return script_json(value)
    except ValueError:
        return script_json(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
