"""Text without what is never the same twice: addresses, ids, private paths, the time of day.

What is set aside is only what cannot be a result: an instant counts as "now" if it lies in the
time in which its run took place, a duration if it is told as one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_ANY_ZONE = timedelta(hours=15)
"""How far a time without a zone may be from ours: the farthest zones are 14 hours away."""
_SLACK = timedelta(seconds=120)
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DURATION = r"\d+(?:\.\d+)?(?:e[-+]?\d+)?"

_ALWAYS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), mark)
    for pattern, mark in (
        (r"\x1b\[[0-9;]*[A-Za-z]", ""),
        (r"\bat 0x[0-9a-fA-F]{6,16}\b", "at <address>"),
        (r"\b0x[0-9a-f]{12,16}\b", "<address>"),
        (r"(?:/var)?/tmp/(?:ipykernel_\d+/\d+\.py|[^/\s'\"<>:,)]+)", "<temporary>"),
        (r"\bipykernel_\d+\b", "<kernel>"),
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uuid>"),
        (r"\b(?:run|eval)_[0-9a-z]{26}\b", "<run>"),
        (r"\b(pid|PID)([ =:]+)\d+\b", r"\1\2<pid>"),
        (r"\bT_[0-9a-f]{5}(?=[_\"' ])", "<table>"),
        (r"\b(df|sk-container-id|altair-viz|plotly)-[0-9a-f-]+\b", r"<\1>"),
        (r"<dc:date>[^<]*</dc:date>", "<dc:date/>"),
        (r"(id=\"|href=\"#|url\(#)[a-zA-Z]+[0-9a-f]{8,12}(?=[\")])", r"\1<id>"),
        (r"(?m)^(CPU times|Wall time):.*$", r"\1: <duration>"),
        (
            r"\b[\d.]{1,20} [nµmu]?s ± [\d.]{1,20} [nµmu]?s per loop \([^)]*\)",
            "<duration> per loop",
        ),
        (r"\d\d:\d\d<(?:\d\d:\d\d|\?), *[\d.?]+ *(?:it/s|s/it)", "<duration>"),
        (rf"\b{_DURATION} ?(?:ns|µs|us|ms)\b", "<duration>"),
        (
            r"(?i)\b(took|elapsed|finished in|done in|completed in|runtime|duration)"
            rf"([ :=]+){_DURATION} ?(?:s|sec|secs|seconds?|min|minutes?)\b",
            r"\1\2<duration>",
        ),
    )
)
_WORKPLACE = re.compile(r"[^\s'\"<>]{0,300}/run_[0-9a-z]{26}-\d+/\d\d-")
_INSTANT = re.compile(
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z| ?[+-]\d\d:?\d\d| ?UTC\b)?"
)
_C_TIME = re.compile(
    rf"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:{_MONTHS}) [ \d]\d \d\d:\d\d:\d\d(?: \w+)? \d{{4}}\b"
)
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b(?![T ]\d\d:)")
_EPOCH = re.compile(r"(?<![\w.])1\d{9}(?:\d{3}|\.\d+)?(?![\w.])")


@dataclass(frozen=True)
class Window:
    """The time in which something was executed."""

    begin: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """Tell whether *at* lies in it; without a zone, whether it does in any."""
        slack = _SLACK if at.tzinfo else _ANY_ZONE
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return self.begin - slack <= at <= self.end + slack

    def holds_day(self, day: date) -> bool:
        """Tell whether *day* is one of its days, in any zone."""
        one = timedelta(days=1)
        return self.begin.date() - one <= day <= self.end.date() + one


def normal(text: str, window: Window) -> str:
    """Return *text*, given during *window*, with marks for what is never the same twice."""
    if "\r" in text:  # a progress bar shows its last state only
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    if "/run_" in text:
        text = _WORKPLACE.sub("<workplace>/", text)
    for pattern, mark in _ALWAYS:
        text = pattern.sub(mark, text)
    text = _INSTANT.sub(_if(lambda told: window.holds(_instant(told))), text)
    text = _C_TIME.sub(_if(lambda told: window.holds(_c_time(told))), text)
    text = _DATE.sub(_if(lambda told: window.holds_day(date.fromisoformat(told))), text)
    return _EPOCH.sub(_if(lambda told: window.holds(_epoch(told))), text)


def _if(is_now: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    def replaced(match: re.Match[str]) -> str:
        try:
            return "<now>" if is_now(match[0]) else match[0]
        except (ValueError, OverflowError):
            return match[0]  # it only looks like a time

    return replaced


def _instant(told: str) -> datetime:
    told = told.replace(",", ".").replace(" UTC", "Z").replace("UTC", "Z")
    whole, dot, rest = told.partition(".")
    if dot:  # nanoseconds are more than Python's parser takes
        digits = re.match(r"\d+", rest)
        count = digits.end() if digits else 0
        told = f"{whole}.{rest[: min(count, 6)]}{rest[count:]}"
    return datetime.fromisoformat(told.replace(" +", "+").replace(" -", "-"))


def _c_time(told: str) -> datetime:
    words = told.split()
    parsed = datetime.strptime(" ".join([*words[1:4], words[-1]]), "%b %d %H:%M:%S %Y")  # noqa: DTZ007
    return parsed.replace(tzinfo=UTC) if "UTC" in words else parsed


def _epoch(told: str) -> datetime:
    number = float(told)
    return datetime.fromtimestamp(number / 1000 if number > 1e12 else number, UTC)
