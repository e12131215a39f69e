"""Up to when a source has its data, and whether that is enough for the day that is asked for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from pipeline.runner.messages import Failure, SqlJob
from pipeline.stages.signature import with_escaped_colons
from pipeline.stages.sql.failures import ReadingError, words
from provenance.nearest import shown

if TYPE_CHECKING:
    from sqlalchemy import Connection

WAITED_FOR = timedelta(hours=1)
"""How long a run waits at most for a day to end; about as long as runs are postponed."""
_REPLAY = """
SELECT statement_timestamp() AS now,
  pg_last_xact_replay_timestamp() AS replayed,
  pg_last_wal_receive_lsn() AS received,
  (SELECT max(last_msg_send_time) FROM pg_stat_wal_receiver) AS heard,
  (SELECT max(latest_end_lsn) FROM pg_stat_wal_receiver) AS told,
  (SELECT count(pid) FROM pg_stat_wal_receiver) AS receivers,
  (SELECT setting::float FROM pg_settings WHERE name = 'wal_receiver_timeout') AS silence
"""
_REACHED = (
    "SELECT pg_last_wal_replay_lsn() >= greatest(CAST(:one AS pg_lsn), CAST(:other AS pg_lsn))"
)


@dataclass(frozen=True)
class Snapshot:
    """What a reading sees: everything that was committed up to ``as_of``, at its source.

    ``replayed_to`` is up to when the source has what its origin had; None: it does not say.
    """

    as_of: datetime
    replayed_to: datetime | None
    id: str | None = None
    """PostgreSQL's own name for the snapshot."""


@dataclass(frozen=True)
class Period:
    """The day that the parameter ``name`` asks for, which has to be over and complete."""

    name: str
    day: date
    zone: tzinfo

    @property
    def end(self) -> datetime:
        """The instant at which the day ends where the source is."""
        if self.day == date.max:
            return datetime.max.replace(tzinfo=UTC)
        after = datetime.combine(self.day + timedelta(days=1), time(), self.zone)
        return after.astimezone(UTC)


def take_snapshot(connection: "Connection", replayed: datetime | None) -> Snapshot:
    """Fix what the transaction sees; *replayed* is what `replay_time` said before it began."""
    name = connection.dialect.name
    now = datetime.now(UTC)
    if name == "postgresql":
        asked = "SELECT statement_timestamp(), txid_current_snapshot()::text, pg_is_in_recovery()"
        now, known_as, replica = connection.exec_driver_sql(asked).one()
        now = now.astimezone(UTC)
        return Snapshot(now, replayed if replica else now, known_as)
    if name == "sqlite":
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    return Snapshot(now, replayed if name == "sqlite" else now)


def replay_time(connection: "Connection", ask: SqlJob) -> datetime | None:
    """Return up to when a replica has its origin's data; to be asked before the snapshot.

    Asked afterwards it could count what the snapshot does not have. An SQLite file is as old
    as its last change.
    """
    if connection.dialect.name == "sqlite":
        return _file_time(ask)
    if connection.dialect.name != "postgresql":
        return None
    try:
        if not connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar():
            return None
        return _standby_time(connection)
    except SQLAlchemyError:
        if connection.invalidated:
            raise
        return None  # servers that only resemble PostgreSQL lack some of these functions
    finally:
        if not connection.invalidated:
            connection.rollback()


def _standby_time(connection: "Connection") -> datetime | None:
    """Return what a standby has replayed to.

    The time of the last commit that it replayed stands still while its primary is idle. One
    that has replayed all that it received has what the primary had when that was last heard
    of; where our account may not see when that was, no longer ago than the silence after
    which a standby gives its connection up.
    """
    seen = connection.exec_driver_sql(_REPLAY).one()
    known = [seen.replayed] if seen.replayed else []
    lsns = {"one": seen.received, "other": seen.told}
    if seen.receivers and seen.received and connection.execute(text(_REACHED), lsns).scalar():
        if seen.heard:
            known.append(seen.heard)
        elif seen.silence:
            known.append(seen.now - timedelta(milliseconds=seen.silence))
    return max(known).astimezone(UTC) if known else None


def _file_time(ask: SqlJob) -> datetime | None:
    database = make_url(ask.url).database
    files = (Path(str(database)), Path(f"{database}-wal"))
    times = [file.stat().st_mtime for file in files if file.is_file()]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def complete_to(connection: "Connection", ask: SqlJob, snapshot: Snapshot) -> datetime | None:
    """Return up to when the data is complete: what the source's ``freshness`` query says.

    Without one, what its replay says. A date means the whole day, an instant without a zone
    one in the source's time zone. Raises ReadingError where the answer is neither.
    """
    if ask.freshness is None:
        return snapshot.replayed_to
    try:
        row = connection.execute(text(with_escaped_colons(ask.freshness))).first()
    except SQLAlchemyError as error:
        raise _unclear(ask, f"failed: {words(error, ask.url)}") from error
    if row is not None and len(row) != 1:
        raise _unclear(ask, f"gives {len(row)} columns")
    found = row[0] if row is not None else None
    return None if found is None else _instant(found, ask)


def _instant(found: Any, ask: SqlJob) -> datetime:
    value, zone = found, ZoneInfo(ask.timezone)
    if isinstance(value, str):
        try:
            # A day alone is no instant, though fromisoformat would take it for midnight.
            value = date.fromisoformat(value)
        except ValueError:
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise _unclear(ask, f"gives {shown(found)}") from None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(value, date):
        return Period("", value, zone).end
    raise _unclear(ask, f"gives {shown(found)}")


def _unclear(ask: SqlJob, found: str) -> ReadingError:
    return ReadingError(
        Failure(
            "freshness",
            f"The query `freshness` of source {ask.source} {found}; expected one value, the day "
            "or instant up to which the data is complete.",
            hint="Such as: SELECT max(loaded_at) FROM loads.",
        )
    )


def period_of(ask: SqlJob) -> Period | None:
    """Return the day that has to be complete, where the stage says so and one is given."""
    given = ask.params.get(ask.covers or "", {}).get("value")
    if ask.covers is None or given is None:
        return None
    return Period(ask.covers, date.fromisoformat(given), ZoneInfo(ask.timezone))


def refuse_if_behind(
    ask: SqlJob, period: Period, snapshot: Snapshot, complete: datetime | None
) -> None:
    """Raise ReadingError if data of *period* may still be missing."""
    if complete is not None and complete >= period.end:
        return
    begun = f"The stage covers {period.name} = {period.day}, which ends at {_at(period.end, ask)}"
    message = f"{begun}, but source {ask.source} {_how_far(ask, complete)}."
    waits = period.end - snapshot.as_of <= WAITED_FOR
    failure = Failure("source_behind", message, hint=_when(ask, period, snapshot, complete))
    raise ReadingError(failure, again=waits)


def _how_far(ask: SqlJob, complete: datetime | None) -> str:
    if complete is not None:
        return f"has its data up to {_at(complete, ask)}"
    if ask.freshness is not None:
        return "has no data yet: its query `freshness` gives nothing"
    return "is a replica that does not say how far it is"


def _when(ask: SqlJob, period: Period, snapshot: Snapshot, complete: datetime | None) -> str:
    if complete is None and ask.freshness is None:
        return f"Say it by a query: [sources.{ask.source}] freshness."
    lag = max(snapshot.as_of - complete, timedelta()) if complete else timedelta()
    ready = max(period.end, snapshot.as_of)
    if complete is not None and period.end < datetime.max.replace(tzinfo=UTC) - lag:
        ready = period.end + lag
    return f"As far behind as it is now, it has the day at about {_at(ready, ask)}; try then."


def _at(instant: datetime, ask: SqlJob) -> str:
    zone = ZoneInfo(ask.timezone)
    if instant.year == date.max.year:
        return "the end of time"
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S} ({ask.timezone})"
