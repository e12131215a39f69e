"""The one sentence that answers: why are these two results not the same?"""

from collections.abc import Sequence

from provenance.explain.model import Cause, Explanation, Kind, MetricMove, Results
from provenance.story import REPORT, Story

MOST_NAMED = 3
MOST_METRICS = 2
_WORDS = {"before": "first", "after": "second"}
_CHANCE = (
    "Only what no record holds can do that: an unseeded random number, the time of day, the "
    "network, another machine."
)
_LEADS = {
    Kind.TEMPLATE: "The template changed",
    Kind.IMPORTED_CODE: "The code changed",
    Kind.STAGE_CODE: "The code changed",
}
"""What is named by its subject alone; other causes tell their own sentence."""


def sentence_of(found: Explanation, a: Story, b: Story) -> str:
    """Return the answer in a line or two."""
    if a.id == b.id:
        return "This is one and the same run."
    parts = [*_strangers(a, b), *_answer(found, a, b)]
    return " ".join(part for part in parts if part)


def effect(results: Results) -> str:
    """Return what became of the numbers: ``3 metrics moved, 1 check changed.``"""
    before, after = results.verdicts
    verdict = f"the verdict is {after} instead of {before}" if before != after else ""
    told = [
        _moved(results),
        _plural(len(results.checks), "check", "changed"),
        verdict,
    ]
    text = ", ".join(part for part in told if part)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _moved(results: Results) -> str:
    """Name the metrics that moved where there are few of them, else count them."""
    if len(results.metrics) > MOST_METRICS:
        return f"{len(results.metrics)} metrics moved"
    return ", ".join(map(_of_metric, results.metrics))


def _of_metric(metric: MetricMove) -> str:
    if metric.only is not None:
        return f"metric {metric.name} is only in the {_WORDS[metric.only]} run"
    before, after = _number(metric.before), _number(metric.after)
    return f"metric {metric.name} moved from {before} to {after}"


def _number(value: float | None) -> str:
    return "no number" if value is None else f"{value:.6g}"


def _strangers(a: Story, b: Story) -> list[str]:
    if a.run.project != b.run.project:
        return [
            f"These are runs of different projects, {a.run.project} / {a.run.report} and "
            f"{b.run.project} / {b.run.report}: there is little to compare."
        ]
    if a.run.report != b.run.report:
        return [
            f"These are runs of different reports, {a.run.report} and {b.run.report}: only the "
            "stages that both need are compared."
        ]
    return []


def _answer(found: Explanation, a: Story, b: Story) -> list[str]:
    recorded = [cause for cause in found.causes if not _is_chance(cause)]
    chance = [cause for cause in found.causes if _is_chance(cause)]
    if found.same_result:
        return [_same(a, b), *_named(recorded), _idle(recorded, a, b)]
    if recorded:
        extra = f"Beyond that: {chance[0].sentence} {_CHANCE}" if chance else ""
        return [*_named(recorded), extra, _results(found, recorded)]
    if chance:
        return [
            f"Nothing recorded differs, and yet the results do: {_lower(chance[0])} {_CHANCE}",
            effect(found.results) or "Metrics and checks are equal.",
        ]
    return _nothing(found, a, b)


def _nothing(found: Explanation, a: Story, b: Story) -> list[str]:
    """Return the answer where neither a cause nor chance was found."""
    if not (_complete(a) and _complete(b)):
        return [
            "Nothing that both runs recorded differs.",
            _unfinished(a, b),
            effect(found.results),
        ]
    lost = [job.name for side in (a, b) for job in side.jobs if job.record is None]
    if lost:
        return ["Nothing that is still recorded differs; records are lost.", effect(found.results)]
    if a.run.report != b.run.report:
        return ["Nothing recorded of these stages differs."]
    if found.results.same:
        return ["Nothing recorded differs, and the results are equal."]
    return [f"Nothing recorded differs, and yet the results do. {_CHANCE}", effect(found.results)]


def _is_chance(cause: Cause) -> bool:
    return cause.kind == Kind.RANDOMNESS and not cause.subject.startswith("seed ")


def _same(a: Story, b: Story) -> str:
    if b.run.reused_from == a.id:
        return "The same result: the second run reused what the first one made."
    if a.run.reused_from == b.id:
        return "The same result: the first run reused what the second one made."
    return "The same result: one execution stands for both runs."


def _idle(recorded: Sequence[Cause], a: Story, b: Story) -> str:
    if recorded:
        return "That changed nothing that the report stands on."
    if a.run.commit != b.run.commit:
        return "What changed between their commits is nothing that the report stands on."
    return ""


def _named(causes: Sequence[Cause]) -> list[str]:
    """Return the causes in words, those of one lead together, the first few of each."""
    groups: dict[str, list[Cause]] = {}
    for cause in causes:
        groups.setdefault(_LEADS.get(cause.kind, ""), []).append(cause)
    sentences = []
    for lead, found in groups.items():
        more = len(found) - MOST_NAMED
        rest = f" and {more} more" if more > 0 else ""
        if lead:
            names = ", ".join(f"{c.subject}{_where(c)}" for c in found[:MOST_NAMED])
            sentences.append(f"{lead}: {names}{rest}.")
        else:
            sentences += [cause.sentence for cause in found[:MOST_NAMED]]
            sentences += [f"And{rest.removeprefix(' and')}."] if more > 0 else []
    return sentences


def _where(cause: Cause) -> str:
    places = [name for name in cause.where if name != REPORT]
    return f" ({', '.join(places)})" if places and cause.kind != Kind.TEMPLATE else ""


def _results(found: Explanation, recorded: Sequence[Cause]) -> str:
    if not any(cause.moved for cause in recorded):
        return effect(found.results) or "That changed nothing that any job gave."
    return effect(found.results) or "Metrics and checks are equal."


def _unfinished(a: Story, b: Story) -> str:
    words = [word for side, word in ((a, "first"), (b, "second")) if not _complete(side)]
    if len(words) == 2:
        return "Neither came to a report."
    return f"The {words[0]} run came to no report."


def _complete(story: Story) -> bool:
    return REPORT in story.by_name


def _lower(cause: Cause) -> str:
    return f"{cause.sentence[0].lower()}{cause.sentence[1:]}"


def _plural(count: int, noun: str, verb: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'} {verb}" if count else ""
