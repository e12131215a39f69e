"""What is true of two runs and no cause of a difference, and yet worth knowing."""

from collections.abc import Iterable, Iterator

from provenance.explain.cells import only_words
from provenance.explain.code import only_looks, opened_by_one
from provenance.explain.data import same_content
from provenance.explain.model import Cause
from provenance.explain.pairs import Pairs
from provenance.explain.surroundings import out_of_reach
from provenance.story import REPORT, Story

MOST_NAMED = 6


def notes_of(pairs: Pairs, causes: Iterable[Cause]) -> tuple[str, ...]:
    """Return the notes on two runs and the *causes* that were found, each once."""
    notes = [
        *_texts_of_others(pairs, causes),
        *_lost(pairs),
        *_ended_early(pairs),
        *_looks(pairs),
        *_batches(pairs),
    ]
    notes += [*_holes(pairs), *_odd(pairs), *_tainted(pairs), *out_of_reach(pairs.changed)]
    return tuple(dict.fromkeys(notes))


def _texts_of_others(pairs: Pairs, causes: Iterable[Cause]) -> Iterator[str]:
    """Tell whose text a diff shows where a run took the job from a run of another commit."""
    for name in dict.fromkeys(cause.where[0] for cause in causes if cause.diff and cause.where):
        pair = pairs.by_name[name]
        for side, record, word in ((pairs.a, pair.a, "first"), (pairs.b, pair.b, "second")):
            commit = str(record.code.get("commit") or "")
            reused = side.by_name[name].status == "reused"
            if reused and commit and commit != side.run.commit:
                yield (
                    f"The {word} run reused {name}: the diff shows its text as it was executed "
                    f"in {record.run.get('id')} at commit {commit[:12]}, not at "
                    f"{side.run.commit[:12]}."
                )


def _lost(pairs: Pairs) -> Iterator[str]:
    for name in pairs.names:
        for side, word in ((pairs.a, "first"), (pairs.b, "second")):
            job = side.by_name.get(name)
            if job and job.record is None and not pairs.one_record(name):
                told = f" It said of itself: {job.sentence}." if job.sentence else ""
                yield (
                    f"The record of {name} of the {word} run is no longer in the store, so that "
                    f"this job is not compared.{told}"
                )


def _ended_early(pairs: Pairs) -> Iterator[str]:
    for side, word in ((pairs.a, "first"), (pairs.b, "second")):
        if REPORT not in side.by_name:
            yield f"The {word} run came to no report{_failure(side)}."
    commits = pairs.a.run.commit, pairs.b.run.commit
    if (REPORT in pairs.a.by_name) != (REPORT in pairs.b.by_name) and commits[0] != commits[1]:
        yield (
            "A job that fails leaves no record: what it was made of is seen with "
            f"git diff {commits[0][:12]} {commits[1][:12]}."
        )


def _failure(side: Story) -> str:
    error = side.run.error or {}
    stage, message = error.get("stage"), str(error.get("message") or "").strip().rstrip(".")
    where = f": stage {stage} failed" if stage else ""
    return f"{where}: {message}" if message else where


def _looks(pairs: Pairs) -> Iterator[str]:
    names = {path for pair in pairs.changed for path in only_looks(pair)}
    if any(map(only_words, pairs.changed)):
        yield "Text, comments or look of the page changed; the code of the template did not."
    if names:
        yield f"Comments or white space only: {_listed(names)}. That changes no result."


def _batches(pairs: Pairs) -> Iterator[str]:
    names = {name for pair in pairs.changed for name in same_content(pair)}
    if names:
        yield f"Another batch with the same content: {_listed(names)}."


def _holes(pairs: Pairs) -> Iterator[str]:
    names = {path for pair in pairs.changed for path in opened_by_one(pair)}
    if names:
        yield f"Opened by only one of both when it ran: {_listed(names)}."
    absent = [pair.name for pair in pairs.changed if pair.a.observed or pair.b.observed]
    if absent:
        yield f"Opened files that no import or literal names: {_listed(set(absent))}."


def _odd(pairs: Pairs) -> Iterator[str]:
    odd = pairs.kept.odd_keys
    for side in (pairs.a, pairs.b):
        for job in side.jobs:
            if job.key in odd:
                yield f"{job.name} has given different outputs from one key before."


def _tainted(pairs: Pairs) -> Iterator[str]:
    for pair in pairs.changed:
        for record, word in ((pair.a, "first"), (pair.b, "second")):
            if record.run.get("tainted"):
                yield (
                    f"Code or packages of {pair.name} changed while the {word} run executed it: "
                    "nobody knows which version gave the result."
                )


def _listed(names: set[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(sorted(names)[:MOST_NAMED]) + more
