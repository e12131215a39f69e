"""How the code that a job stands on differs: its files, its query, what it opened when it ran."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from provenance.explain.data import partitions_only
from provenance.explain.diffs import Text, changed_lines, unified
from provenance.explain.model import Cause, Kind
from provenance.explain.pair import Pair
from provenance.identity import differences
from provenance.record import Record

_TOLD_APART = frozenset({"files", "cells", "text"})
"""Parts of the code that have sentences of their own."""
_DATA = frozenset(
    [
        ".csv",
        ".tsv",
        ".parquet",
        ".feather",
        ".arrow",
        ".json",
        ".jsonl",
        ".xlsx",
        ".npy",
        ".npz",
        ".pkl",
        ".h5",
        ".nc",
        ".mat",
        ".rds",
        ".txt",
        ".gz",
        ".zip",
        ".db",
        ".sqlite",
    ]
)


class File(NamedTuple):
    """A file as a record tells of it."""

    exact: str | None
    semantic: str | None


def is_data(path: str) -> bool:
    """Tell whether a file of the repository is data rather than code, by its name."""
    dot = path.rfind(".")
    return dot >= 0 and path[dot:].lower() in _DATA


def file_causes(pair: Pair, text: Text) -> Iterator[Cause]:
    """Tell which files of the job's closure differ in what they mean."""
    if "text" in pair.parts("code")[0]:
        yield from _query_causes(pair, text)
        return
    old, new = files_of(pair.a), files_of(pair.b)
    keyed = pair.parts("code")
    names = set(keyed[0].get("files") or old) | set(keyed[1].get("files") or new)
    for path in sorted(names):
        before, after = old.get(path), new.get(path)
        if (before and before.semantic) == (after and after.semantic):
            continue
        diff = _diff(path, before, after, text)
        word = "was added" if before is None else "is gone" if after is None else "changed"
        kind = _kind(pair, path)
        yield Cause(kind, path, f"{path} {word}{changed_lines(diff)}.", diff, (pair.name,))


def observed_causes(pair: Pair, text: Text) -> Iterator[Cause]:
    """Tell which files that both jobs opened beyond their closure had other contents."""
    old, new = pair.a.observed, pair.b.observed
    for path in sorted(old.keys() & new.keys()):
        if old[path] == new[path]:
            continue
        diff = _diff(path, _opened(old[path]), _opened(new[path]), text)
        word = "appeared" if old[path] is None else "is gone" if new[path] is None else "changed"
        kind = Kind.DATA if is_data(path) else Kind.IMPORTED_CODE
        sentence = f"{path}, which is opened when the code runs, {word}{changed_lines(diff)}."
        yield Cause(kind, path, sentence, diff, (pair.name,))


def definition_causes(pair: Pair) -> Iterator[Cause]:
    """Tell how the manifest wires the job otherwise: entry, source, outputs, names of inputs."""
    if pair.preimages is None:
        return
    old, new = pair.preimages
    codes = [
        {name: value for name, value in code.items() if name not in _TOLD_APART}
        for code in pair.parts("code")
    ]
    told = differences.of_values(*codes)
    if old.kind != new.kind:
        told.append(f"kind {old.kind} → {new.kind}")
    if old.outputs != new.outputs:
        names = [", ".join(outputs) or "none" for outputs in (old.outputs, new.outputs)]
        told.append(f"declared outputs {names[0]} → {names[1]}")
    for name in sorted((new.inputs.keys() ^ old.inputs.keys()) - partitions_only(pair)):
        told.append(f"input {name} {'added' if name in new.inputs else 'removed'}")
    for one in told:
        sentence = f"What {pair.name} is declared to be changed: {one}."
        yield Cause(Kind.WIRING, f"{pair.name}: {one}", sentence, None, (pair.name,))


def only_looks(pair: Pair) -> list[str]:
    """Return the files that differ in comments or white space only."""
    old, new = files_of(pair.a), files_of(pair.b)
    return [
        path
        for path in sorted(old.keys() & new.keys())
        if old[path].exact != new[path].exact and old[path].semantic == new[path].semantic
    ]


def opened_by_one(pair: Pair) -> list[str]:
    """Return the files beyond the closure that only one of both opened."""
    return sorted(pair.a.observed.keys() ^ pair.b.observed.keys())


def files_of(record: Record) -> dict[str, File]:
    """Return the closure of a record by path."""
    found = record.code.get("files") or ()
    return {str(f["path"]): File(f.get("exact"), f.get("semantic")) for f in found}


def _opened(digest: str | None) -> File | None:
    return None if digest is None else File(digest, digest)


def _diff(path: str, before: File | None, after: File | None, text: Text) -> str | None:
    """Return the diff of a file; None where a text that is needed is not kept."""
    texts = [text(file.exact) if file and file.exact else None for file in (before, after)]
    if any(file and kept is None for file, kept in zip((before, after), texts, strict=True)):
        return None
    return unified(path, *texts)


def _query_causes(pair: Pair, text: Text) -> Iterator[Cause]:
    """Tell how a query differs. Where its file lies is no part of what it is."""
    old, new = (str(code.get("text") or "") for code in pair.parts("code"))
    if old == new:
        return
    path = next(iter(files_of(pair.b)), pair.name)
    texts = [_query(record, digest, text) for record, digest in ((pair.a, old), (pair.b, new))]
    diff = None if None in texts else unified(path, *texts)
    sentence = f"The query {path} changed{changed_lines(diff)}."
    yield Cause(Kind.STAGE_CODE, path, sentence, diff, (pair.name,))


def _query(record: Record, digest: str, text: Text) -> str | None:
    told: list[Mapping[str, Any]] = list(record.extra.get("queries") or ())
    return text(digest) or (str(told[0]["text"]) if told and "text" in told[0] else None)


def _kind(pair: Pair, path: str) -> Kind:
    if is_data(path):
        return Kind.DATA
    own = _own_paths(pair.a) | _own_paths(pair.b)
    named = any(path == name or path.endswith(f"/{name}") for name in own)
    return Kind.STAGE_CODE if named else Kind.IMPORTED_CODE


def _own_paths(record: Record) -> set[str]:
    """Return what may be the paths of the job's own files, as its definition names them."""
    entry = str(record.code.get("entry") or "").partition(":")[0].replace(".", "/")
    named = {f"{entry}.py", f"{entry}/__init__.py"} if entry else set()
    for value in record.code.values():
        if isinstance(value, str) and record.kind != "report":
            named.add(value)
        elif isinstance(value, list) and record.kind != "report":
            named |= {item for item in value if isinstance(item, str)}
    return {name for name in named if name}
