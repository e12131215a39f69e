"""What somebody types to find runs, read as filters and words.

``report:daily branch:main param.date:2013-01 metric.rmse>2 since:7d "rush hour"``
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from provenance.ledger.columns import utc_now
from provenance.ledger.search import MetricBound, RunFilter
from provenance.ledger.states import Purpose, Status, Verdict
from provenance.ledger.words import are_words
from provenance.nearest import did_you_mean, listed, nearest, shown

LONGEST = 500
_ITEM = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_FILTER = re.compile(
    r"(?P<name>[A-Za-z]+)(?:\.(?P<of>[^:<>=]+))?(?P<sign>:|<=?|>=?|=)(?P<value>.*)"
)
_NAMES = ("project", "report", "branch", "actor")
_SAYS = {"fail": "failed", "pass": "passed", "cancelled": "cancelled", "canceled": "cancelled"}
_AGO = re.compile(r"(\d{1,5})\s*(min|h|d|w)", re.ASCII)
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_COMMIT = re.compile(r"[0-9a-f]{1,64}", re.ASCII)
FILTERS = (
    *("project:", "report:", "branch:", "commit:", "status:", "actor:", "purpose:"),
    *("since:", "until:", "param.NAME:", "metric.NAME>"),
)


@dataclass(frozen=True)
class Search:
    """What is sought."""

    wanted: RunFilter
    problems: tuple[str, ...]
    """What of the text is no filter, and why; the rest is sought all the same."""


class _UnfitError(Exception):
    """A filter whose value cannot be read."""


def read_search(text: str) -> Search:
    """Return what *text* asks for.

    Names of projects, reports, branches and people may be only begun. A filter without a value
    yet asks for nothing.
    """
    wanted, problems, words = RunFilter(begun=True), [], []
    for item in _ITEM.findall(text[:LONGEST]):
        found = _FILTER.fullmatch(item)
        name = found["name"].lower() if found else ""
        value = found["value"].replace('"', "") if found else ""
        if found is None or not _is_filter(name, value):
            words.append(item.replace('"', ""))
            continue
        if not value:
            continue
        try:
            wanted = _narrowed(wanted, name, found["of"], found["sign"], value)
        except _UnfitError as unfit:
            problems.append(str(unfit))
    if are_words(words):
        wanted = replace(wanted, words=tuple(words))
    return Search(wanted, tuple(problems))


def _is_filter(name: str, value: str) -> bool:
    """Tell filters from words that hold a colon, such as a time or an address."""
    return name in _READ or (bool(value) and nearest(name, _READ) is not None)


def _narrowed(wanted: RunFilter, name: str, of: str | None, sign: str, value: str) -> RunFilter:
    if name not in _READ:
        raise _UnfitError(f"{name}: is no filter. {did_you_mean(name, _READ)}")
    if (name in _OF) != (of is not None):
        example = f"{name}.NAME" if name in _OF else f"{name}:VALUE"
        raise _UnfitError(f"{name}: is written as {example}, as in {_EXAMPLES[name]}.")
    if sign != ":" and name != "metric":
        raise _UnfitError(f"{name}: takes a colon, as in {_EXAMPLES[name]}.")
    return _READ[name](wanted, of or "", sign, value)


def _status(wanted: RunFilter, _: str, __: str, value: str) -> RunFilter:
    word = _SAYS.get(value.lower(), value.lower().replace(" ", "_"))
    if word in list(Verdict):
        return replace(wanted, verdict=Verdict(word))
    if word in list(Status):
        return replace(wanted, status=Status(word))
    known = [*Status, *Verdict]
    begun = [one for one in known if one.startswith(word)]
    if len(begun) == 1:
        return _status(wanted, "", "", begun[0])
    raise _UnfitError(
        f"status: found {shown(value)}, expected one of {listed(known)}. "
        f"{did_you_mean(word, known)}"
    )


def _purpose(wanted: RunFilter, _: str, __: str, value: str) -> RunFilter:
    if value not in list(Purpose):
        raise _UnfitError(f"purpose: found {shown(value)}, expected one of {listed(Purpose)}.")
    return replace(wanted, purpose=value)


def _commit(wanted: RunFilter, _: str, __: str, value: str) -> RunFilter:
    if not _COMMIT.fullmatch(value.lower()):
        raise _UnfitError(
            f"commit: found {shown(value)}, expected its first hexadecimal digits; "
            "words of its message are sought without a filter."
        )
    return replace(wanted, commit=value.lower())


def _param(wanted: RunFilter, of: str, _: str, value: str) -> RunFilter:
    if not of.isidentifier():
        raise _UnfitError(f"param: {shown(of)} cannot be a parameter.")
    return replace(wanted, params={**wanted.params, of: value})


def _metric(wanted: RunFilter, of: str, sign: str, value: str) -> RunFilter:
    try:
        number = float(value)
    except ValueError:
        raise _UnfitError(
            f"metric.{of}: found {shown(value)}, expected a number, as in metric.{of}>2."
        ) from None
    bound = MetricBound(of, "=" if sign == ":" else sign, number)
    return replace(wanted, metrics=(*wanted.metrics, bound))


def _instant(name: str, value: str) -> datetime:
    if ago := _AGO.fullmatch(value):
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
    return lambda wanted, _of, _sign, value: _with(wanted, name, value)


def _timed(name: str) -> "_Reader":
    return lambda wanted, _of, _sign, value: _with(wanted, name, _instant(name, value))


def _with(wanted: RunFilter, name: str, value: Any) -> RunFilter:
    changes: dict[str, Any] = {name: value}
    return replace(wanted, **changes)


_Reader = Callable[[RunFilter, str, str, str], RunFilter]
_READ: dict[str, _Reader] = {
    **{name: _named(name) for name in _NAMES},
    **{name: _timed(name) for name in ("since", "until")},
    "status": _status,
    "purpose": _purpose,
    "commit": _commit,
    "param": _param,
    "metric": _metric,
}
_OF = ("param", "metric")
_EXAMPLES = {
    "project": "project:flights",
    "report": "report:sanity_check",
    "branch": "branch:main",
    "actor": "actor:ada",
    "since": "since:7d",
    "until": "until:2013-02-28",
    "status": "status:failed",
    "purpose": "purpose:reproduce",
    "commit": "commit:4f2c9a1",
    "param": "param.date:2013-01",
    "metric": "metric.rmse>2",
}
