"""The demo's read replica: the flights out of New York in 2013, as a SQLite file."""

import csv
import io
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

REAL_COLUMNS = """
    lat lon alt tz temp dewp humid wind_speed wind_gust precip pressure visib speed
"""
TEXT_COLUMNS = """
    carrier tailnum origin dest time_hour name faa dst tzone type manufacturer model engine
"""
TABLES = {
    "flights": "flights.csv.zip",
    "airlines": "airlines.csv",
    "airports": "airports.csv",
    "weather": "weather.csv",
    "planes": "planes.csv",
}
INDEXES = (
    "CREATE INDEX flights_by_date ON flights (date)",
    "CREATE UNIQUE INDEX airlines_by_carrier ON airlines (carrier)",
    "CREATE INDEX weather_by_hour ON weather (origin, time_hour)",
)


def write_replica(data: Path, target: Path) -> None:
    """Write the tables in the folder *data* to a new SQLite file at *target*.

    Flights get a column ``date`` (YYYY-MM-DD) in front; "NA" becomes NULL.
    """
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(part)) as database:
        # Nobody reads the file before it is whole, so a rollback journal would be wasted.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        for table, file in TABLES.items():
            _load(database, table, data / file)
        for statement in INDEXES:
            database.execute(statement)
        database.execute("ANALYZE")
        database.commit()
    part.replace(target)


def _load(database: sqlite3.Connection, table: str, file: Path) -> None:
    with _open(file) as lines:
        rows = csv.reader(lines)
        names = next(rows)
        columns = [f"{name} {_type(name)}" for name in names]
        values = [f"nullif(?{place}, 'NA')" for place in range(1, len(names) + 1)]
        if table == "flights":
            year, month, day = (names.index(part) + 1 for part in ("year", "month", "day"))
            columns.insert(0, "date TEXT NOT NULL")
            values.insert(0, f"printf('%04d-%02d-%02d', ?{year}, ?{month}, ?{day})")
        # Names come from the package's own header lines, values are bound.
        database.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        database.executemany(f"INSERT INTO {table} VALUES ({', '.join(values)})", rows)  # noqa: S608


def _type(column: str) -> str:
    if column in TEXT_COLUMNS.split():
        return "TEXT"
    return "REAL" if column in REAL_COLUMNS.split() else "INTEGER"


def _open(file: Path) -> io.TextIOWrapper:
    if file.suffix != ".zip":
        return file.open(encoding="utf-8", newline="")
    archive = zipfile.ZipFile(file)
    return io.TextIOWrapper(archive.open(archive.namelist()[0]), "utf-8", newline="")
