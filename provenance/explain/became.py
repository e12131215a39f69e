"""What became of each job of two runs: its key, its outputs, and why they are not the same."""

from collections.abc import Iterator, Mapping, Sequence

from provenance.explain.data import inputs_of
from provenance.explain.model import Cause, JobChange, OutputChange
from provenance.explain.pair import Pair
from provenance.explain.pairs import Pairs
from provenance.story import JobFacts


def job_changes(pairs: Pairs, causes: Sequence[Cause]) -> tuple[JobChange, ...]:
    """Return what became of every job, in order."""
    return tuple(_job_change(name, pairs, causes) for name in pairs.names)


def _job_change(name: str, pairs: Pairs, causes: Sequence[Cause]) -> JobChange:
    old, new = pairs.a.by_name.get(name), pairs.b.by_name.get(name)
    before, after = _outputs(old), _outputs(new)
    outputs = tuple(
        OutputChange(output, before.get(output), after.get(output))
        for output in dict.fromkeys([*after, *before])
    )
    return JobChange(
        name,
        old.key if old else None,
        new.key if new else None,
        outputs,
        pairs.same_outputs(name) or pairs.one_record(name),
        "; ".join(_why(name, pairs, causes)),
    )


def _outputs(job: JobFacts | None) -> Mapping[str, str]:
    record = job.record if job else None
    return {output.name: output.sha256 for output in record.outputs} if record else {}


def _why(name: str, pairs: Pairs, causes: Sequence[Cause]) -> Iterator[str]:
    """Yield why a job is not what it was: its own causes, then those before it."""
    if name not in pairs.a.by_name or name not in pairs.b.by_name:
        yield f"only the {'second' if name in pairs.b.by_name else 'first'} run has it"
    elif pairs.one_record(name):
        yield "the same result stands for both"
    elif name not in pairs.by_name:
        yield "a record is lost" if pairs.lost(name) else "these are different reports"
    else:
        yield from _moved(pairs.by_name[name], causes) or ["executed again, from the same key"]


def _moved(pair: Pair, causes: Sequence[Cause]) -> list[str]:
    told = [cause.subject for cause in causes if pair.name in cause.where]
    old, new = pair.parts("inputs")
    given = inputs_of(pair.a)
    moved = [
        item
        for item in sorted(old.keys() & new.keys())
        # A batch does not follow from a job of these runs: it is a cause itself.
        if old[item] != new[item] and not given.get(item, {}).get("batch")
    ]
    if moved:
        told.append(f"follows from {', '.join(moved)}")
    if not told and not pair.same_key:
        told.append("its key was made by another version of provenote")
    return told
