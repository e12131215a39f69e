"""Comparing two runs: causes first to last, and what followed from them.

A cause is what differs by itself in the key of a job: a parameter, a file, a package; or what
no key holds, where equal keys gave unequal results. That a job was executed because an earlier
one gave something else is a consequence, and stands with the jobs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from provenance.explain.became import job_changes
from provenance.explain.cells import first_other_cell, template_causes
from provenance.explain.code import definition_causes, file_causes, observed_causes
from provenance.explain.data import batch_causes, inputs_of, partition_causes, source_cause
from provenance.explain.model import ORDER, Cause, Explanation, Kind
from provenance.explain.notes import notes_of
from provenance.explain.pair import Pair
from provenance.explain.pairs import Kept, Pairs
from provenance.explain.results import compare_results
from provenance.explain.sentences import sentence_of
from provenance.explain.surroundings import (
    package_causes,
    parameter_causes,
    platform_causes,
    seed_causes,
)
from provenance.story import REPORT, Story


def compare(a: Story, b: Story, kept: Kept) -> Explanation:
    """Return why *b* is not what *a* is: causes in order, and what became of each job."""
    pairs = Pairs(a, b, kept)
    found = [cause for pair in pairs.changed for cause in _causes(pair, pairs)]
    found += _wiring(pairs)
    found += [_chance(pair, pairs) for pair in pairs.changed if _is_chance(pair, pairs, found)]
    causes = _in_order(found, pairs)
    explanation = Explanation(
        a=a.id,
        b=b.id,
        sentence="",
        causes=causes,
        jobs=job_changes(pairs, causes),
        results=compare_results(a, b),
        notes=notes_of(pairs, causes),
        same_result=a.run.record_id is not None and a.run.record_id == b.run.record_id,
    )
    return replace(explanation, sentence=sentence_of(explanation, a, b))


def _causes(pair: Pair, pairs: Pairs) -> Iterator[Cause]:
    """Yield what differs by itself in one job."""
    yield from parameter_causes(pair)
    yield from partition_causes(pair, pairs.a.run.params, pairs.b.run.params)
    yield from template_causes(pair, pairs.kept.text)
    yield from file_causes(pair, pairs.kept.text)
    yield from observed_causes(pair, pairs.kept.text)
    yield from definition_causes(pair)
    yield from batch_causes(pair, pairs.kept.batches)
    yield from _strange_inputs(pair, pairs)
    yield from package_causes(pair)
    yield from platform_causes(pair)
    yield from seed_causes(pair)
    if pair.same_key and pair.a.kind == "sql" and not pairs.same_outputs(pair.name):
        yield source_cause(pair)


def _strange_inputs(pair: Pair, pairs: Pairs) -> Iterator[Cause]:
    """Tell of inputs with other content that no job before and no batch accounts for."""
    old, new = inputs_of(pair.a), inputs_of(pair.b)
    for name in sorted(old.keys() & new.keys()):
        before, after = old[name], new[name]
        if before.get("sha256") == after.get("sha256") or _batches(before, after):
            continue
        makers = str(before.get("producer")), str(after.get("producer"))
        if makers[0] != makers[1]:
            told = f"The input {name} comes from {makers[1]} instead of {makers[0]}."
            yield Cause(Kind.WIRING, f"{pair.name}: input {name}", told, None, (pair.name,))
        elif makers[0] not in pairs.by_name:
            told = f"The input {name}, made by {makers[0]}, has other content; nothing says why."
            yield Cause(Kind.DATA, f"input {name}", told, None, (pair.name,))


def _batches(*inputs: object) -> bool:
    return all(isinstance(found, dict) and found.get("batch") for found in inputs)


def _wiring(pairs: Pairs) -> Iterator[Cause]:
    """Tell of stages that only one of two whole runs of a report has."""
    a, b = pairs.a, pairs.b
    if a.run.report != b.run.report or not (REPORT in a.by_name and REPORT in b.by_name):
        return
    for name in pairs.names:
        if name not in a.by_name:
            yield Cause(Kind.WIRING, f"stage {name}", f"The stage {name} was added.", None, (name,))
        elif name not in b.by_name:
            yield Cause(Kind.WIRING, f"stage {name}", f"The stage {name} is gone.", None, (name,))


def _is_chance(pair: Pair, pairs: Pairs, found: Iterable[Cause]) -> bool:
    """Tell whether equal keys gave unequal results, and nothing that was recorded says why."""
    if not pair.same_key or pairs.same_outputs(pair.name):
        return False
    return not any(pair.name in cause.where for cause in found)


def _chance(pair: Pair, pairs: Pairs) -> Cause:
    if pair.name == REPORT:
        cell = first_other_cell(pair.a, pair.b, pairs.kept.text)
        where = f", first in cell {cell}" if cell else ""
        told = f"The report shows something else from the same key{where}."
        return Cause(Kind.RANDOMNESS, "the report", told, None, (pair.name,))
    old, new = pair.outputs
    names = [name for name in new if old.get(name) != new[name]]
    which = f" ({', '.join(names)})" if len(new) > 1 else ""
    told = f"The stage {pair.name} gave other bytes from the same key{which}."
    return Cause(Kind.RANDOMNESS, f"stage {pair.name}", told, None, (pair.name,))


def _in_order(found: Iterable[Cause], pairs: Pairs) -> tuple[Cause, ...]:
    """Return each cause once, with all the jobs that it reached, in the order of their kinds."""
    merged: dict[tuple[str, str], Cause] = {}
    for cause in found:
        known = merged.setdefault((cause.subject, cause.sentence), cause)
        where = tuple(dict.fromkeys((*known.where, *cause.where)))
        kind = max(known.kind, cause.kind, key=ORDER.__getitem__)
        merged[cause.subject, cause.sentence] = replace(known, where=where, kind=kind)
    causes = [
        replace(cause, moved=not all(map(pairs.same_outputs, cause.where)))
        for cause in merged.values()
    ]
    return tuple(sorted(causes, key=lambda cause: ORDER[cause.kind]))
