"""What the result of each record stands on, as rows to be asked backwards: who uses this?"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from provenance.ledger.inserting import insert_into
from provenance.ledger.tables import RunJob
from provenance.ledger.trace_tables import RecordUse
from provenance.record import Record
from provenance.text import storable

AT_A_TIME = 500
"""Values that one statement is given; databases limit their number."""

LONGEST_NAME = 600
"""Characters of a name: PostgreSQL refuses to index more than 2,704 bytes."""
PRODUCER = "producer"
T = TypeVar("T")
_COLUMNS = ("record", "kind", "name", "digest")


def uses_of(record: Record, record_id: str = "") -> list[RecordUse]:
    """Return one row for each thing that *record* stands on or made.

    Files are those of its closure and those it opened beyond it; packages are those that its
    key knows, not all that were installed.
    """
    found: dict[tuple[str, str], str] = {}
    for kind, name, digest in _told(record):
        found.setdefault((kind, storable(name)[:LONGEST_NAME]), storable(digest))
    return [
        RecordUse(record=record_id, kind=kind, name=name, digest=digest)
        for (kind, name), digest in found.items()
    ]


def remember_uses(session: Session, record_id: str, record: Record) -> None:
    """Write down what *record* stands on; again, or by somebody else at once, changes nothing."""
    rows = [{name: getattr(row, name) for name in _COLUMNS} for row in uses_of(record, record_id)]
    # In one order for everybody, so that two writers of one record wait for each other in turn.
    rows.sort(key=lambda row: (row["kind"], row["name"]))
    for some in chunks(rows, AT_A_TIME // len(_COLUMNS)):
        session.execute(insert_into(session, RecordUse).values(some).on_conflict_do_nothing())


def indexed(session: Session, record_ids: Iterable[str]) -> set[str]:
    """Return those of the records whose uses are written down."""
    found: set[str] = set()
    for some in chunks(sorted(set(record_ids)), AT_A_TIME):
        query = select(RecordUse.record).where(RecordUse.record.in_(some)).distinct()
        found |= set(session.scalars(query))
    return found


def _told(record: Record) -> Iterator[tuple[str, str, str]]:
    for file in record.code.get("files") or ():
        yield "file", str(file["path"]), str(file.get("exact") or "")
    for path, digest in (record.code.get("observed") or {}).items():
        yield "file", str(path), str(digest or "")
    if template := record.code.get("template"):
        yield "file", str(template), ""
    for found in record.inputs:
        yield "input", str(found.get("name")), str(found.get("sha256") or "")
        if producer := found.get("producer_record"):
            yield PRODUCER, str(found.get("name")), str(producer)
        if batch := found.get("batch"):
            yield "batch", str(batch), str(found.get("sha256") or "")
    for output in record.outputs:
        yield "output", output.name, output.sha256
    for name, version in _packages(record).items():
        yield "package", name, version
    if source := record.code.get("source"):
        yield "source", str(source), ""


def _packages(record: Record) -> dict[str, str]:
    """Return the packages of the key; without the digest of their files, which follows."""
    environment: Any = record.preimage.get("environment")
    found: Any = environment.get("distributions") if isinstance(environment, Mapping) else None
    if not isinstance(found, Mapping):
        return {}
    return {str(name): str(told).partition(" ")[0] for name, told in found.items()}


def records_with(session: Session, kind: str, name: str, digest: str | None = None) -> set[str]:
    """Return the records that name exactly this; of a package, in any version or in one."""
    query = select(RecordUse.record).where(RecordUse.kind == kind, RecordUse.name == name)
    if digest is not None:
        query = query.where(RecordUse.digest == digest)
    return set(session.scalars(query))


def records_naming(session: Session, kind: str, names: Iterable[str]) -> set[str]:
    """Return the records that name one of *names*."""
    query = select(RecordUse.record).where(RecordUse.kind == kind)
    return set(_in_chunks(session, query, RecordUse.name, names))


def records_with_digest(session: Session, digests: Iterable[str], kinds: Iterable[str]) -> set[str]:
    """Return the records to which one of *digests* is one of *kinds*: an input, an output."""
    wanted = tuple(kinds)
    return set(
        _in_chunks(
            session,
            select(RecordUse.record).where(RecordUse.kind.in_(wanted)),
            RecordUse.digest,
            digests,
        )
    )


def takers(session: Session, alike: Iterable[str], records: set[str]) -> set[str]:
    """Return those of *alike* that took an input from one of *records*.

    Those that name no record that they took from are older than that: they are all returned,
    since it is by the content of their inputs that they are alike.
    """
    maybe, named, sure = set(alike), set[str](), set[str]()
    for some in chunks(sorted(maybe), AT_A_TIME):
        query = select(RecordUse.record, RecordUse.digest).where(
            RecordUse.kind == PRODUCER, RecordUse.record.in_(some)
        )
        for record, producer in session.execute(query):
            named.add(record)
            if producer in records:
                sure.add(record)
    return sure | (maybe - named)


def outputs_of(session: Session, records: Iterable[str]) -> set[str]:
    """Return the digests of all that *records* made."""
    query = select(RecordUse.digest).where(RecordUse.kind == "output")
    return set(_in_chunks(session, query, RecordUse.record, records))


def digests_beginning(session: Session, prefix: str, limit: int = 20) -> list[str]:
    """Return digests of files, inputs and outputs that begin with *prefix*."""
    query = (
        select(RecordUse.digest)
        # A range, since an index serves it on every database; after all digits comes ``g``.
        .where(RecordUse.digest >= prefix, RecordUse.digest < f"{prefix}g")
        .where(RecordUse.kind != PRODUCER)
        .distinct()
        .limit(limit)
    )
    return [digest for digest in session.scalars(query) if digest.startswith(prefix)]


def names_of(session: Session, kind: str, limit: int) -> list[str]:
    """Return names of one kind, each once, the first ones in order."""
    query = select(RecordUse.name).where(RecordUse.kind == kind).distinct()
    return list(session.scalars(query.order_by(RecordUse.name).limit(limit)))


def versions_of(session: Session, kind: str, name: str, limit: int) -> list[str]:
    """Return the versions of a package that records name, or the digests of a file."""
    query = select(RecordUse.digest).where(RecordUse.kind == kind, RecordUse.name == name)
    return list(session.scalars(query.distinct().order_by(RecordUse.digest).limit(limit)))


def name_ending(session: Session, kind: str, tail: str) -> str | None:
    """Return the first name of one kind whose last part, after the last slash, is *tail*."""
    # Not by LIKE, which on some databases takes small letters for capitals.
    last = func.substr(RecordUse.name, func.length(RecordUse.name) - len(tail))
    query = select(RecordUse.name).where(
        RecordUse.kind == kind, or_(RecordUse.name == tail, last == f"/{tail}")
    )
    return session.scalars(query.order_by(RecordUse.name).limit(1)).first()


def runs_on(session: Session, records: Iterable[str]) -> dict[str, set[str]]:
    """Return the runs one of whose jobs stands on one of *records*, each with these jobs."""
    found: dict[str, set[str]] = {}
    for some in chunks(sorted(set(records)), AT_A_TIME):
        query = select(RunJob.run_id, RunJob.stage).where(RunJob.record.in_(some))
        for run_id, stage in session.execute(query):
            found.setdefault(run_id, set()).add(stage)
    return found


def _in_chunks(
    session: Session, query: Select[str], column: Any, values: Iterable[str]
) -> Iterator[str]:
    for some in chunks(sorted(set(values)), AT_A_TIME):
        yield from session.scalars(query.where(column.in_(some)))


def chunks(values: list[T], size: int) -> Iterator[list[T]]:
    """Yield *values* in pieces of at most *size*."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
