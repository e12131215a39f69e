"""Walking backwards: which reports stand on a file, an artifact, a batch, a package, a record?"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provenance.errors import InvalidInputError, NotFoundError
from provenance.identity.environment import normalised_name
from provenance.ledger import uses
from provenance.ledger.data_tables import Batch, Dataset, Partition
from provenance.ledger.queries.cases import CaseNames, case_names
from provenance.ledger.queries.projects import project_named
from provenance.ledger.queries.runs import RunRow, run_rows, select_rows
from provenance.ledger.queries.used_things import (
    Thing,
    UsedBy,
    UsedCase,
    UsedReport,
    UsedRun,
    Wanted,
)
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Project, Run
from provenance.ledger.trace_tables import RecordUse
from provenance.nearest import listed, nearest

LEAST_DIGITS = 8
MOST_RUNS = 20
"""Runs that are listed for each report; all are counted."""
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
_COMPARED = 2_000


class UnknownThingError(NotFoundError):
    """Raised when nothing that was ever recorded has this name."""

    code = "unknown_thing"


class WrongDigestError(InvalidInputError):
    """Raised when a digest is too short to mean one thing, or is none."""

    code = "wrong_digest"


def used_by(session: Session, wanted: Wanted) -> UsedBy:
    """Return the reports that stand on a thing, by itself or through what was made from it.

    Raises UnknownThingError with the nearest known name, WrongDigestError for a digest that is
    none or fits several things, and UnknownProjectError.
    """
    project = project_named(session, wanted.project) if wanted.project else None
    name, direct = _anchors(session, wanted)
    anchors, batches = _onward(session, direct)
    reports = _reports(session, uses.runs_on(session, anchors), project)
    made_by: set[str] = set()
    if wanted.kind == "artifact":
        made_by = uses.records_with_digest(session, [name], ["output"])
    sentence = _sentence(wanted.kind, name, reports, project)
    return UsedBy(
        wanted.kind, name, sentence, reports, tuple(sorted(made_by)), tuple(sorted(batches))
    )


def places_of(session: Session, batches: Iterable[str]) -> dict[str, str]:
    """Return of each batch its dataset, partition and number, as ``sold/2013-01-31 #2``."""
    query = (
        select(Batch.id, Dataset.name, Partition.name, Batch.number)
        .join(Partition, Partition.id == Batch.partition_id)
        .join(Dataset, Dataset.id == Partition.dataset_id)
        .order_by(Batch.id)
    )
    return {
        batch: f"{dataset}/{name} #{number}"
        for some in uses.chunks(sorted(batches), uses.AT_A_TIME)
        for batch, dataset, name, number in session.execute(query.where(Batch.id.in_(some)))
    }


def _anchors(session: Session, wanted: Wanted) -> tuple[str, set[str]]:
    """Return the full name of the thing, and the records that name it themselves."""
    if wanted.kind in ("artifact", "record"):
        return _by_digest(session, wanted)
    name, version = wanted.name.strip(), None
    if wanted.kind == "file":
        name = name.removeprefix("./")
    if wanted.kind == "package":
        name, _, version = (part.strip() for part in name.partition("=="))
        name = normalised_name(name)
    found = uses.records_with(session, wanted.kind, name, version or None)
    if not found and not _known(session, wanted.kind, name):
        raise _unknown(session, wanted.kind, name, version)
    return f"{name}=={version}" if version else name, found


def _known(session: Session, kind: Thing, name: str) -> bool:
    return kind == "batch" and session.get(Batch, name) is not None


def _by_digest(session: Session, wanted: Wanted) -> tuple[str, set[str]]:
    prefix = wanted.name.strip().lower().removeprefix("sha256:")
    if not _HEX.fullmatch(prefix) or not LEAST_DIGITS <= len(prefix) <= 64:
        raise WrongDigestError(
            f"Found {wanted.name[:80]!r}, expected {LEAST_DIGITS} to 64 hexadecimal digits of the "
            f"digest of {'a record' if wanted.kind == 'record' else 'an artifact'}.",
            "The page Provenance of a run shows them.",
        )
    is_record = wanted.kind == "record"
    found = _records_beginning if is_record else uses.digests_beginning
    full = found(session, prefix)
    if not full:
        raise UnknownThingError(
            f"Nothing that was recorded has {'a' if is_record else 'an'} {wanted.kind} {prefix}.",
            "Files of the repository are found by their path.",
        )
    if len(full) > 1:
        shown = ", ".join(digest[: len(prefix) + 4] for digest in full[:4])
        raise WrongDigestError(f"Several digests begin with {prefix}: {shown}.", "Give more.")
    records = set(full)
    if not is_record:
        records = uses.records_with_digest(session, full, ["file", "input", "batch"])
    return full[0], records


def _records_beginning(session: Session, prefix: str) -> list[str]:
    record = RecordUse.record
    query = select(record).where(record >= prefix, record < f"{prefix}g").distinct().limit(20)
    return [found for found in session.scalars(query) if found.startswith(prefix)]


def _onward(session: Session, direct: set[str]) -> tuple[set[str], set[str]]:
    """Follow what was made from *direct* through the batches that runs published.

    Within a run its jobs tell what it stands on; only a batch leads from one run to another.
    Returns the records that name the thing or such a batch themselves, and these batches.
    """
    anchors, batches, fresh = set(direct), set[str](), set(direct)
    published = session.scalar(select(Batch.id).where(Batch.record.is_not(None)).limit(1))
    while fresh and published:
        made = set(_batches_of(session, _downstream(session, fresh))) - batches
        readers = uses.records_naming(session, "batch", made)
        batches |= made
        fresh = readers - anchors
        anchors |= fresh
    return anchors, batches


def _downstream(session: Session, records: set[str]) -> set[str]:
    """Return *records*, and those that took in what they gave, and so on."""
    reached, fresh = set(records), set(records)
    while fresh:
        given = uses.outputs_of(session, fresh)
        alike = uses.records_with_digest(session, given, ["input"])
        fresh = uses.takers(session, alike, fresh) - reached
        reached |= fresh
    return reached


def _batches_of(session: Session, records: set[str]) -> Iterator[str]:
    """Yield the batches whose content one of *records* gave."""
    for some in uses.chunks(sorted(uses.outputs_of(session, records)), uses.AT_A_TIME):
        query = select(Batch.id, Batch.record).where(Batch.sha256.in_(some))
        yield from (batch for batch, record in session.execute(query) if record in records)


def _reports(
    session: Session, through: Mapping[str, set[str]], project: Project | None
) -> tuple[UsedReport, ...]:
    rows = [
        row
        for some in uses.chunks(sorted(through), uses.AT_A_TIME)
        for row in run_rows(session, select_rows().where(Run.id.in_(some), Run.purpose.is_(None)))
        if project is None or row.project_id == project.id
    ]
    groups: dict[tuple[str, str], list[RunRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.id, reverse=True):
        groups[row.project_id, row.report].append(row)
    names = case_names(session, groups)
    newest_first = sorted(groups.values(), key=lambda found: found[0].id, reverse=True)
    return tuple(_report(session, found, through, names) for found in newest_first)


def _report(
    session: Session, rows: Sequence[RunRow], through: Mapping[str, set[str]], names: CaseNames
) -> UsedReport:
    first = rows[0]
    runs = tuple(_run(row, through[row.id], names) for row in rows[:MOST_RUNS])
    standing = {row.id for row in rows}
    cases = tuple(
        UsedCase(names(first.project_id, first.report, key), latest, latest in standing)
        for key, latest in _latest(session, first)
    )
    return UsedReport(first.project, first.report, len(rows), runs, cases)


def _latest(session: Session, of: RunRow) -> Iterable[tuple[str, str]]:
    """Return the latest run of each case of a report, whether it stands on the thing or not."""
    query = (
        select(Run.case_key, func.max(Run.id))
        .where(
            Run.project_id == of.project_id,
            Run.report == of.report,
            Run.status == Status.FINISHED,
            Run.verdict != Verdict.CANCELLED,
            Run.purpose.is_(None),
        )
        .group_by(Run.case_key)
        .order_by(func.max(Run.id).desc())
    )
    return [(key, latest) for key, latest in session.execute(query)]


def _run(row: RunRow, jobs: set[str], names: CaseNames) -> UsedRun:
    return UsedRun(
        id=row.id,
        case=names(row.project_id, row.report, row.case_key),
        commit=row.commit_sha,
        subject=row.subject,
        branch=row.branch,
        verdict=row.verdict,
        reused=row.reused,
        finished_at=row.finished_at,
        through=tuple(sorted(jobs)),
    )


def _sentence(
    kind: Thing, name: str, reports: Sequence[UsedReport], project: Project | None
) -> str:
    short = name[:12] if kind in ("artifact", "record") else name
    shown = name if kind == "file" else f"the {kind} {short}"
    place = f" of project {project.name}" if project else ""
    if not reports:
        return f"No report{place} stands on {shown}."
    total = sum(report.total for report in reports)
    cases = [case for report in reports for case in report.cases]
    standing = sum(case.stands for case in cases)
    return (
        f"{_counted(len(reports), 'report')}{place} ({_counted(total, 'run')}) "
        f"{'stands' if len(reports) == 1 else 'stand'} on {shown}; "
        f"the latest run does in {standing} of {_counted(len(cases), 'case')}."
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _unknown(session: Session, kind: Thing, name: str, version: str | None) -> UnknownThingError:
    if version and (versions := uses.versions_of(session, kind, name, limit=_COMPARED)):
        told = f"No result that was recorded stands on version {version[:200]!r} of {name}."
        return UnknownThingError(told, f"Known versions: {listed(versions)}.")
    near = uses.name_ending(session, kind, name.rpartition("/")[2])
    known = [] if near else uses.names_of(session, kind, limit=_COMPARED)
    near = near or nearest(name, known, most=_COMPARED)
    more = ", and those after them" if len(known) == _COMPARED else ""
    hint = f"Did you mean {near!r}?" if near else f"Known: {listed(known)}{more}."
    told = f"No result that was recorded stands on a {kind} {name[:200]!r}."
    return UnknownThingError(told, hint)
