"""How the data differ that a run did not make itself: batches of datasets, rows of a source."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provenance.explain.model import Cause, Kind
from provenance.explain.pair import Pair
from provenance.record import Record


@dataclass(frozen=True)
class BatchFacts:
    """What the ledger knows of a batch."""

    id: str
    kind: str
    """``data`` or ``model``."""
    dataset: str
    partition: str
    number: int
    sha256: str
    rows: int | None = None
    schema_change: str | None = None
    actor: str = ""
    reason: str = ""
    """Why it was made current; empty where nobody said."""
    published_at: str | None = None

    @property
    def word(self) -> str:
        """What it is called together with its number."""
        return "version" if self.kind == "model" else "batch"

    @property
    def place(self) -> str:
        """What it belongs to, for people."""
        return f"{'model' if self.kind == 'model' else 'dataset'} {self.dataset}"

    @property
    def name(self) -> str:
        """The name of its slice, for people."""
        return self.place if self.kind == "model" else f"{self.place}/{self.partition}"


Batches = Callable[[str], BatchFacts | None]


def inputs_of(record: Record) -> dict[str, Mapping[str, Any]]:
    """Return the inputs of a record by name."""
    return {str(found.get("name")): found for found in record.inputs}


def batch_causes(pair: Pair, batches: Batches) -> Iterator[Cause]:
    """Tell which inputs are another batch with other content, or a batch of another dataset."""
    old, new = inputs_of(pair.a), inputs_of(pair.b)
    for name in sorted(old.keys() & new.keys()):
        before, after = old[name], new[name]
        if not is_other_batch(before, after):
            continue
        was, now = _facts(before, batches), _facts(after, batches)
        if was.place == now.place and was.partition != now.partition:
            continue  # told by `partition_causes`
        subject = now.name if was.name == now.name else f"{was.name} → {now.name}"
        yield Cause(Kind.DATA, subject, _batch_sentence(was, now), None, (pair.name,))


def partition_causes(pair: Pair, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Cause]:
    """Tell which datasets are read at other partitions; *old* and *new* are the runs' parameters.

    Where the value of a parameter stands in the name of the partition, as ``{date}`` in the
    manifest makes it, that parameter is the cause.
    """
    before, after = _partitions(pair.a), _partitions(pair.b)
    for place in sorted(before.keys() & after.keys()):
        if before[place] == after[place]:
            continue
        chosen = [
            name
            for name in sorted(old.keys() & new.keys())
            if old[name] != new[name]
            and _stands_in(old[name], before[place])
            and _stands_in(new[name], after[place])
        ]
        for name in chosen:
            told = f"The parameter {name} changed: {old[name]} → {new[name]}."
            yield Cause(Kind.PARAMETERS, f"param {name}", told, None, (pair.name,))
        if not chosen:
            gone, come = before[place] - after[place], after[place] - before[place]
            words = [", ".join(sorted(names)) or "none" for names in (gone, come)]
            told = f"Other partitions of {place} are read: {words[0]} → {words[1]}."
            yield Cause(Kind.DATA, place, told, None, (pair.name,))


def is_other_batch(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether both inputs are batches, and not of one content."""
    if not (before.get("batch") and after.get("batch")):
        return False
    return before["batch"] != after["batch"] and before.get("sha256") != after.get("sha256")


def partitions_only(pair: Pair) -> set[str]:
    """Return the inputs that one record alone has, of datasets that both read."""
    both = _partitions(pair.a).keys() & _partitions(pair.b).keys()
    old, new = inputs_of(pair.a), inputs_of(pair.b)
    found = {**old, **new}
    return {
        name
        for name in old.keys() ^ new.keys()
        if found[name].get("batch") and _facts(found[name], lambda _: None).place in both
    }


def _partitions(record: Record) -> dict[str, set[str]]:
    """Return which partitions of which dataset a record read."""
    found: dict[str, set[str]] = {}
    for told in record.inputs:
        if told.get("batch"):
            facts = _facts(told, lambda _: None)
            found.setdefault(facts.place, set()).add(facts.partition)
    return found


def _stands_in(value: object, names: set[str]) -> bool:
    text = str(value)
    return bool(text) and any(text in name for name in names)


def same_content(pair: Pair) -> list[str]:
    """Return the inputs that are another batch with the same content."""
    old, new = inputs_of(pair.a), inputs_of(pair.b)
    return [
        name
        for name in sorted(old.keys() & new.keys())
        if old[name].get("batch") != new[name].get("batch")
        and old[name].get("sha256") == new[name].get("sha256")
    ]


def source_cause(pair: Pair) -> Cause:
    """Tell that the same query gave other rows."""
    source = str(pair.b.code.get("source") or "")
    rows = [_rows(record) for record in (pair.a, pair.b)]
    told = "the same query gave another result"
    if None not in rows:
        told = f"{_counted(rows[0])} → {_counted(rows[1])} rows"
        if rows[0] == rows[1]:
            told = f"{_counted(rows[0])} rows as before, but not the same ones"
    subject = f"source {source}" if source else f"stage {pair.name}"
    sentence = f"The {subject} gave other rows to {pair.name}: {told}."
    return Cause(Kind.DATA, subject, sentence, None, (pair.name,))


def _rows(record: Record) -> int | None:
    told = list(record.extra.get("queries") or ())
    rows = told[0].get("rows") if told else None
    return rows if isinstance(rows, int) else None


def _counted(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _facts(told: Mapping[str, Any], batches: Batches) -> BatchFacts:
    """Return what is known of an input's batch: by the ledger, or else by the record."""
    known = batches(str(told["batch"]))
    if known is not None:
        return known
    producer, _, rest = str(told.get("producer") or "").partition(":")
    return BatchFacts(
        id=str(told["batch"]),
        kind=str(told.get("kind") or ("model" if producer == "model" else "data")),
        dataset=str(told.get("dataset") or rest.partition("/")[0]),
        partition=str(told.get("partition") or ""),
        number=int(told.get("number") or 0),
        sha256=str(told.get("sha256")),
    )


def _batch_sentence(was: BatchFacts, now: BatchFacts) -> str:
    if was.name != now.name:
        return f"It stands on {now.name} ({_called(now)}) instead of {was.name} ({_called(was)})."
    parts = [f"The {now.name} is another {now.word}: {_called(was)} → {_called(now)}"]
    if was.rows is not None and now.rows is not None:
        parts.append(f"{was.rows:,} → {now.rows:,} rows")
    sentence = ", ".join(parts) + "."
    if now.schema_change:
        sentence += f" Its columns changed: {now.schema_change}."
    if now.actor:
        when = f" on {now.published_at}" if now.published_at else ""
        reason = f": {now.reason}" if now.reason else ""
        sentence += f" Published by {now.actor}{when}{reason}."
    return sentence


def _called(batch: BatchFacts) -> str:
    number = f"{batch.word} {batch.number}, " if batch.number else ""
    return f"{number}{batch.id[:6]}…{batch.id[-6:]}"
