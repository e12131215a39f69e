"""Dates in relation to today: ``yesterday``, ``-3d``, ``month_start-1d``."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

WORDS: dict[str, Callable[[date], date]] = {
    "today": lambda today: today,
    "yesterday": lambda today: today - timedelta(days=1),
    "week_start": lambda today: today - timedelta(days=today.weekday()),
    "month_start": lambda today: today.replace(day=1),
}
_RELATIVE = re.compile(rf"({'|'.join(WORDS)})?(?:([+-][0-9]{{1,6}})([dwm]))?")


def is_relative(value: object) -> bool:
    """Tell whether *value* is a date in relation to today: a word, an offset, or one after other.

    Offsets are days, weeks or months: ``-3d``, ``+2w``, ``month_start-1m``.
    """
    return (
        isinstance(value, str) and bool(text := value.strip()) and bool(_RELATIVE.fullmatch(text))
    )


def put_to(today: date, text: str) -> date:
    """Return the date that *text*, for which `is_relative` holds, means on the day *today*.

    A month before or after is the same day of it, or its last. Raises ValueError or
    OverflowError where no calendar has that day.
    """
    word, number, unit = _RELATIVE.fullmatch(text.strip()).groups()  # type: ignore[union-attr]
    start = WORDS[word](today) if word else today
    if number is None:
        return start
    if unit == "m":
        return months_on(start, int(number))
    return start + timedelta(days=int(number) * (7 if unit == "w" else 1))


def months_on(start: date, months: int) -> date:
    """Return the same day *months* later, or the last of that month; raise ValueError for none."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        raise ValueError(year)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
