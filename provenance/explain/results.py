"""How the results of two runs moved: metrics, checks, verdict."""

import re

from provenance.explain.model import CheckFlip, MetricMove, Results
from provenance.story import MetricFacts, Story

_NUMBER = re.compile(r"[-+−]?\d[\d.,_]*")


def compare_results(a: Story, b: Story) -> Results:
    """Return the metrics and checks that are not the same in both runs."""
    old = {metric.name: metric for metric in a.metrics}
    new = {metric.name: metric for metric in b.metrics}
    names = [*new, *(name for name in old if name not in new)]
    moves = [move for name in names if (move := _move(old.get(name), new.get(name)))]
    before, after = _paired(_checks(a), _checks(b))
    messages = [*after, *(message for message in before if message not in after)]
    flips = [
        CheckFlip(message, before.get(message), after.get(message))
        for message in messages
        if before.get(message) != after.get(message)
    ]
    return Results(
        tuple(moves),
        tuple(flips),
        len(names) - len(moves),
        len(messages) - len(flips),
        (a.run.verdict, b.run.verdict),
    )


def _checks(side: Story) -> dict[str, bool]:
    """Return the checks by message; one that is made several times holds if it always does."""
    found: dict[str, bool] = {}
    for ok, message in side.checks:
        found[message] = ok and found.get(message, True)
    return found


def _paired(
    before: dict[str, bool], after: dict[str, bool]
) -> tuple[dict[str, bool], dict[str, bool]]:
    """Return both, with a message of before told as after where only its numbers differ.

    "rmse is at least 5 % below the guess's (it is 9.0 %)" is the same statement in each run.
    """
    free: dict[str, list[str]] = {}
    for message in after:
        if message not in before:
            free.setdefault(_NUMBER.sub("#", message), []).append(message)
    told = {}
    for message, ok in before.items():
        same = free.get(_NUMBER.sub("#", message), []) if message not in after else []
        told[same.pop(0) if same else message] = ok
    return told, after


def _move(old: MetricFacts | None, new: MetricFacts | None) -> MetricMove | None:
    if old is not None and new is not None and old.value == new.value:
        return None
    known = new or old
    assert known is not None  # noqa: S101 - the name comes from one of both
    before, after = old.value if old else None, new.value if new else None
    difference = None if before is None or after is None else after - before
    only = "after" if old is None else "before" if new is None else None
    return MetricMove(known.name, before, after, difference, known.unit, known.better, only)
