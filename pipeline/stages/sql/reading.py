"""The story of a reading: connect, fix what is seen, see that it is enough, read, write."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, bindparam, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.runner.messages import Failure, SqlJob
from pipeline.stages.outcome import failed, succeeded
from pipeline.stages.signature import sql_binds, with_escaped_colons
from pipeline.stages.sql.connecting import begin, connected, limit
from pipeline.stages.sql.failures import Deadline, ReadingError, failing
from pipeline.stages.sql.freshness import (
    Snapshot,
    complete_to,
    period_of,
    refuse_if_behind,
    replay_time,
    take_snapshot,
)
from pipeline.stages.sql.guesses import what_was_meant
from pipeline.stages.sql.table import write_rows
from pipeline.workplace import Workplace

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult

MEDIA_TYPE = "application/vnd.apache.parquet"


@dataclass(frozen=True)
class Told:
    """What the record says of a query that was carried out."""

    text: str
    source: str
    rows: int
    as_of: str
    replayed_to: str | None
    snapshot: str | None
    seconds: float
    columns: list[dict[str, str]]

    @property
    def line(self) -> str:
        """The reading as a line of the log."""
        line = f"{self.rows:,} rows from {self.source} in {self.seconds:.2f} s, as of {self.as_of}"
        late = self.replayed_to is not None and self.replayed_to != self.as_of
        return f"{line}, which has its data up to {self.replayed_to}\n" if late else f"{line}\n"


def execute_query(job: dict[str, Any], emit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Run the query that *job* describes (an SqlJob) and return how it went.

    ``queries`` of the result is what was read, ``again`` whether what failed passes by itself.
    """
    ask = SqlJob(**job)
    place = Workplace(Path(ask.workplace), "")
    target = place.outputs / "output.parquet"
    deadline = Deadline(ask.seconds)
    try:
        _check_bound(ask)
        with connected(ask, deadline) as connection:
            told = _read(connection, ask, deadline, target)
    except ReadingError as error:
        return {**failed(error.failure), "again": error.again}
    place.log.write_text(told.line, encoding="utf-8")
    emit({"event": "log", "text": told.line})
    output = {"name": "output", "path": str(target), "media_type": MEDIA_TYPE}
    return succeeded([output], queries=[asdict(told)])


def _check_bound(ask: SqlJob) -> None:
    for name in sql_binds(ask.text):
        if name not in ask.params:
            message = f"The query binds :{name}, but the stage is given no parameter {name}."
            hint = f"Declare [params.{name}], or add it to the stage's params."
            raise ReadingError(Failure("query", message, hint=hint))


def _read(connection: "Connection", ask: SqlJob, deadline: Deadline, target: Path) -> Told:
    started = time.monotonic()
    try:
        snapshot = _look(connection, ask, deadline)
        # Time-outs are set anew before each fetch: a server counts them by statement.
        result = _select(connection, ask)
        schema, rows = write_rows(result, target, lambda: limit(connection, deadline))
    except SQLAlchemyError as error:
        told = failing(error, ask, deadline)
        if told.failure.kind == "query":
            hint = what_was_meant(connection, ask.text, told.failure.message)
            told = ReadingError(replace(told.failure, hint=hint or told.failure.hint))
        raise told from error
    return Told(
        text=ask.text,
        source=ask.source,
        rows=rows,
        as_of=snapshot.as_of.isoformat(),
        replayed_to=_iso(snapshot.replayed_to),
        snapshot=snapshot.id,
        seconds=round(time.monotonic() - started, 3),
        columns=[{"name": field.name, "type": str(field.type)} for field in schema],
    )


def _look(connection: "Connection", ask: SqlJob, deadline: Deadline) -> Snapshot:
    """Begin, and see that the source has what is asked for; return what is seen of it."""
    replayed = replay_time(connection, ask)
    begin(connection, ask)
    limit(connection, deadline)
    snapshot = take_snapshot(connection, replayed)
    complete = complete_to(connection, ask, snapshot)
    if (period := period_of(ask)) is not None:
        refuse_if_behind(ask, period, snapshot, complete)
    limit(connection, deadline)
    return replace(snapshot, replayed_to=complete)


def _select(connection: "Connection", ask: SqlJob) -> "CursorResult[Any]":
    """Run the query with bound parameters; dates are bound as dates, whatever the database."""
    statement = text(with_escaped_colons(ask.text))
    values = {}
    for name, parameter in ask.params.items():
        value = parameter["value"]
        if parameter["type"] == "date":
            value = None if value is None else date.fromisoformat(value)
            statement = statement.bindparams(bindparam(name, type_=Date()))
        values[name] = value
    # The rows stay at the server, which gives them as they are fetched.
    return connection.execute(statement.execution_options(stream_results=True), values)


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
