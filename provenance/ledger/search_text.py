"""What somebody types to find runs, read as filters and words.

``report:daily branch:main param.date:2013-01 metric.rmse>2 since:7d "rush hour"``; a quotation
mark begins and ends what may hold spaces, wherever it stands: ``metric."worst tenth">2``.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from provenance.ledger.columns import utc_now
from provenance.ledger.search import MetricBound, RunFilter
from provenance.ledger.states import Purpose, Status, Verdict
from provenance.ledger.word_search import are_words
from provenance.nearest import did_you_mean, listed, nearest, shown

LONGEST = 500
_ITEM = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_FILTER = re.compile(
    r"(?P<name>[A-Za-z]+)(?:\.(?P<of>[^:<>=]*))?(?P<sign>:|<=?|>=?|=)(?P<value>.*)", re.DOTALL
)
_NAMES = ("project", "report", "branch", "actor")
_SAYS = {"fail": "failed", "pass": "passed", "canceled": "cancelled"}
_AGO = re.compile(r"(\d{1,5})\s*(min|h|d|w)", re.ASCII)
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_COMMIT = re.compile(r"[0-9a-f]{1,64}", re.ASCII)
_LIKE_A_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
FILTERS = (
    *("project:", "report:", "branch:", "commit:", "status:", "actor:", "purpose:"),
    *("since:", "until:", "tag:", "pinned:", "comment:", "param.NAME:", "metric.NAME>"),
)


@dataclass(frozen=True)
class Search:
    """What is sought."""

    wanted: RunFilter
    problems: tuple[str, ...]
    """What of the text is no filter, and why; the rest is sought all the same."""

    @property
    def is_lost(self) -> bool:
        """Whether nothing is left of what was meant to narrow it: all runs are no answer."""
        return bool(self.problems) and self.wanted == RunFilter(begun=True)


class _UnfitError(Exception):
    """A filter that cannot be read."""


@dataclass(frozen=True)
class _Filter:
    """What was typed as a filter: ``metric.rmse>2`` in its four parts."""

    name: str
    of: str
    sign: str
    value: str

    @property
    def full_name(self) -> str:
        return f"{self.name}.{self.of}" if self.of else self.name


def read_search(text: str) -> Search:
    """Return what *text* asks for.

    Names of projects, reports, branches and people may be only begun. A filter without a value
    yet asks for nothing. A lone row of hexadecimal digits may be a word, or begin a commit.
    """
    items = [_filter_in(item) or item.replace('"', "") for item in _ITEM.findall(text[:LONGEST])]
    filters = [item for item in items if isinstance(item, _Filter) and item.value]
    wanted, problems = _all_of(filters)
    words = tuple(item for item in items if isinstance(item, str))
    if not words:
        return Search(wanted, tuple(problems))
    if not are_words(words):
        problems.append(f"{shown(' '.join(words))} has no letter and no digit to be sought.")
    lone = words[0].lower() if len(words) == 1 and not filters else ""
    digits = lone if _LIKE_A_COMMIT.fullmatch(lone) else None
    return Search(replace(wanted, words=words, digits=digits), tuple(problems))


def _filter_in(item: str) -> _Filter | None:
    """Tell filters, also misspelt ones, from words that hold a colon, such as a time."""
    if (found := _FILTER.fullmatch(item)) is None:
        return None
    name, of, sign, value = ((part or "").replace('"', "") for part in found.groups())
    known = name.lower() in _READ or sign[0] in "<>"
    if not known and (not value or nearest(name.lower(), _READ) is None):
        return None
    return _Filter(name.lower(), of, sign, value)


def _all_of(filters: Sequence[_Filter]) -> tuple[RunFilter, list[str]]:
    wanted, problems, given = RunFilter(begun=True), list[str](), set[str]()
    for item in filters:
        try:
            wanted = _narrowed(wanted, item)
        except _UnfitError as unfit:
            problems.append(str(unfit))
        if item.full_name in given:
            problems.append(f"{item.full_name}: is there twice; what is given last counts.")
        if item.name not in _SEVERAL:
            given.add(item.full_name)
    return wanted, problems


def _narrowed(wanted: RunFilter, item: _Filter) -> RunFilter:
    name = item.name
    if name not in _READ:
        known = _READ if item.sign == ":" else ["metric"]
        hint = did_you_mean(name, known) if nearest(name, known) else _COMPARED
        raise _UnfitError(f"{name}{item.sign} is no filter. {hint}")
    if (name in _OF) != bool(item.of):
        example = f"{name}.NAME" if name in _OF else f"{name}:VALUE"
        raise _UnfitError(f"{name}: is written as {example}, as in {_EXAMPLES[name]}.")
    if item.sign != ":" and name != "metric":
        raise _UnfitError(f"{name}: takes a colon, as in {_EXAMPLES[name]}.")
    return _READ[name](wanted, item)


def _status(wanted: RunFilter, item: _Filter) -> RunFilter:
    word = _SAYS.get(item.value.lower(), item.value.lower().replace(" ", "_"))
    if word in list(Verdict):
        return replace(wanted, verdict=Verdict(word))
    if word in list(Status):
        return replace(wanted, status=Status(word))
    known = [*Status, *Verdict]
    begun = [one for one in known if one.startswith(word)]
    if len(begun) == 1:
        return _status(wanted, replace(item, value=begun[0]))
    raise _UnfitError(
        f"status: found {shown(item.value)}, expected one of {listed(known)}. "
        f"{did_you_mean(word, known)}"
    )


def _purpose(wanted: RunFilter, item: _Filter) -> RunFilter:
    if item.value not in list(Purpose):
        raise _UnfitError(f"purpose: found {shown(item.value)}, expected one of {listed(Purpose)}.")
    return replace(wanted, purpose=item.value)


def _tag(wanted: RunFilter, item: _Filter) -> RunFilter:
    return replace(wanted, tags=(*wanted.tags, item.value))


def _comment(wanted: RunFilter, item: _Filter) -> RunFilter:
    return replace(wanted, comments=(*wanted.comments, item.value))


def _pinned(wanted: RunFilter, item: _Filter) -> RunFilter:
    if item.value.lower() not in ("yes", "no"):
        raise _UnfitError(f"pinned: found {shown(item.value)}, expected yes or no.")
    return replace(wanted, pinned=item.value.lower() == "yes")


def _commit(wanted: RunFilter, item: _Filter) -> RunFilter:
    if not _COMMIT.fullmatch(item.value.lower()):
        raise _UnfitError(
            f"commit: found {shown(item.value)}, expected its first hexadecimal digits; "
            "words of its message are sought without a filter."
        )
    return replace(wanted, commit=item.value.lower())


def _param(wanted: RunFilter, item: _Filter) -> RunFilter:
    if not item.of.isidentifier():
        raise _UnfitError(f"param: {shown(item.of)} cannot be a parameter.")
    return replace(wanted, params={**wanted.params, item.of: item.value})


def _metric(wanted: RunFilter, item: _Filter) -> RunFilter:
    try:
        number = float(item.value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _UnfitError(
            f"{item.full_name}: found {shown(item.value)}, expected a number, "
            f"as in {_EXAMPLES['metric']}."
        )
    bound = MetricBound(item.of, "=" if item.sign == ":" else item.sign, number)
    return replace(wanted, metrics=(*wanted.metrics, bound))


def _instant(name: str, value: str) -> datetime:
    if ago := _AGO.fullmatch(value.lower()):
        return utc_now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _UnfitError(
            f"{name}: found {shown(value)}, expected a day such as 2013-02-28, "
            "or how long ago: 90min, 12h, 7d, 2w."
        ) from None


def _named(name: str) -> "_Reader":
    return lambda wanted, item: _with(wanted, name, item.value)


def _timed(name: str) -> "_Reader":
    return lambda wanted, item: _with(wanted, name, _instant(name, item.value))


def _with(wanted: RunFilter, name: str, value: Any) -> RunFilter:
    changes: dict[str, Any] = {name: value}
    return replace(wanted, **changes)


_Reader = Callable[[RunFilter, _Filter], RunFilter]
_READ: dict[str, _Reader] = {
    **{name: _named(name) for name in _NAMES},
    **{name: _timed(name) for name in ("since", "until")},
    "status": _status,
    "purpose": _purpose,
    "tag": _tag,
    "pinned": _pinned,
    "comment": _comment,
    "commit": _commit,
    "param": _param,
    "metric": _metric,
}
_OF = ("param", "metric")
_SEVERAL = ("metric", "tag", "comment")
"""Filters of which several are held together: a metric has two ends, a run may have two tags."""
_COMPARED = 'Numbers are compared as in metric.rmse>2, or metric."worst tenth">2 with its spaces.'
_EXAMPLES = {
    "project": "project:flights",
    "report": "report:sanity_check",
    "branch": "branch:main",
    "actor": "actor:ada",
    "since": "since:7d",
    "until": "until:2013-02-28",
    "status": "status:failed",
    "purpose": "purpose:reproduce",
    "tag": "tag:release",
    "pinned": "pinned:yes",
    "comment": 'comment:"wrong sensor"',
    "commit": "commit:4f2c9a1",
    "param": "param.date:2013-01",
    "metric": "metric.rmse>2",
}
