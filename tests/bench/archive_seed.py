"""An archive of many runs, written straight into a ledger: what years of use leave behind."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table as SqlTable
from sqlalchemy import insert, text

from provenance.ledger.columns import Base, utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.ids import first_id
from provenance.ledger.states import Status, Verdict
from provenance.ledger.text_tables import WORDS

PROJECTS, REPORTS, CASES, METRICS = 10, 4, 5, 20
"""Every run of the first project has recorded the metrics: those of a tenth of all runs."""
RUNS_A_PAGE, WORDS_A_PAGE, VOCABULARY = 10, 60, 5_000
_DAYS, _AT_ONCE = 1_000, 1_000
"""The history goes back so many days; so many commits are written in one transaction."""
_A_COMMIT = REPORTS * CASES

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Seeded:
    """What may be asked of the archive."""

    runs: tuple[str, ...]
    """Some of the runs of the first project, the newest first."""
    shas: tuple[str, ...]
    """Their commits."""


def seed(ledger: Ledger, runs: int) -> Seeded:
    """Write *runs* runs of ten projects, with metrics, checks, jobs, inputs and words of pages."""
    commits = runs // _A_COMMIT
    chance = random.Random(1)
    for begin in range(0, commits, _AT_ONCE):
        rows: Rows = {}
        if begin == 0:
            rows["project"] = [_project(number) for number in range(PROJECTS)]
        for number in range(begin, min(begin + _AT_ONCE, commits)):
            for table, row in _commit(number, commits, chance):
                rows.setdefault(table, []).append(row)
        _write(ledger, rows)
    _finish(ledger)
    own = [number for number in range(commits) if number % PROJECTS == 0][-100:]
    return Seeded(
        tuple(_run_id(number, commits, 0) for number in reversed(own)),
        tuple(_sha(number) for number in reversed(own)),
    )


def _write(ledger: Ledger, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    tables: list[SqlTable] = [t for t in Base.metadata.sorted_tables if t.name in rows]
    with ledger.writing() as session:
        for table in tables:
            session.execute(insert(table), rows[table.name])


def _finish(ledger: Ledger) -> None:
    with ledger.writing() as session:
        if ledger.engine.dialect.name == "sqlite":
            session.execute(text(f"INSERT INTO {WORDS} ({WORDS}) VALUES ('rebuild')"))
        newest = "SELECT project_id, report, case_key, max(id) FROM run GROUP BY 1, 2, 3"
        columns = "project_id, report, case_key, run_id"
        session.execute(text(f"INSERT INTO case_head ({columns}) {newest}"))
        newest = "SELECT page_text.id, max(run.id) FROM page_text JOIN run USING (html) GROUP BY 1"
        session.execute(text(f"INSERT INTO page_head (page_id, run_id) {newest}"))
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if ledger.engine.dialect.name == "postgresql":
            # As its own housekeeping does: what was written over months is at rest long since.
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))


def _commit(number: int, commits: int, chance: random.Random) -> Iterator[tuple[str, Any]]:
    """Yield what one push to one of the projects leaves: a run of each case of each report."""
    project, sha, at = f"p{number % PROJECTS}", _sha(number), _at(number, commits)
    subject = f"Commit {number} about {_word(number)}"
    evaluation = f"eval{number:09}"
    branch = "main" if number // PROJECTS % 10 else "fix"
    yield (
        "commit",
        {
            "project_id": project,
            "sha": sha,
            "subject": subject,
            "author": "Ada",
            "committed_at": at,
            "parent": None,
        },
    )
    of_both = {"project_id": project, "commit_sha": sha, "branch": branch, "created_at": at}
    ended = {"status": Status.FINISHED, "finished_at": at + timedelta(seconds=9), "attempt": 1}
    yield (
        "evaluation",
        {
            "id": evaluation,
            "trigger": "push",
            "actor": "ada" if number % 3 else "eve",
            "revision": branch,
            "prepared": True,
            "verdict": Verdict.PASSED,
        }
        | of_both
        | ended,
    )
    for place in range(_A_COMMIT):
        report, case = f"report_{place % REPORTS}", place // REPORTS
        failed = chance.random() < 0.02
        run = {
            "id": _run_id(number, commits, place),
            "evaluation_id": evaluation,
            "report": report,
            "params": {"date": f"2013-{number % 12 + 1:02}-01", "n": case},
            "case": {"n": case},
            "case_key": f"case{case}",
            "committed_at": at,
            "verdict": Verdict.FAILED if failed else Verdict.PASSED,
            "html": f"page{number // PROJECTS // RUNS_A_PAGE}.{number % PROJECTS}.{place}",
            "reused": number // PROJECTS % RUNS_A_PAGE != 0,
            "seconds": 1.5,
        }
        yield "run", run | of_both | ended
        yield from _of_run(run, number, chance)


def _of_run(
    run: Mapping[str, Any], number: int, chance: random.Random
) -> Iterator[tuple[str, Any]]:
    run_id = run["id"]
    yield (
        "check",
        {
            "run_id": run_id,
            "position": 0,
            "ok": run["verdict"] == Verdict.PASSED,
            "message": "rmse is below its limit",
        },
    )
    yield (
        "run_job",
        {
            "run_id": run_id,
            "position": 0,
            "stage": "report",
            "key": f"key{number}",
            "status": "reused" if run["reused"] else "executed",
            "reason": None if run["reused"] else "code",
            "sentence": "code: stages/features.py changed",
            "seconds": 1.2,
        },
    )
    if number % PROJECTS == 0:
        for position in range(METRICS):
            yield (
                "metric",
                {
                    "run_id": run_id,
                    "name": f"m{position}",
                    "position": position,
                    "value": chance.random() * 100,
                    "better": "lower",
                },
            )
    if not run["reused"]:
        words = " ".join(map(_word, chance.choices(range(VOCABULARY), k=WORDS_A_PAGE)))
        yield (
            "page_text",
            {
                "html": run["html"],
                "project_id": f"p{number % PROJECTS}",
                "names": f"p{number % PROJECTS} {run['report']} n {run['case']['n']}",
                "body": f"{words} common",
            },
        )


def _project(number: int) -> dict[str, Any]:
    return {"id": f"p{number}", "name": f"project-{number}", "url": f"https://example.org/{number}"}


def _word(number: int) -> str:
    return f"word{number % VOCABULARY:04}"


def _sha(number: int) -> str:
    return f"{random.Random(number).getrandbits(160):040x}"


def _at(number: int, commits: int) -> datetime:
    return _END - timedelta(days=_DAYS) * (commits - number) / commits


def _run_id(number: int, commits: int, place: int) -> str:
    return first_id("run", _at(number, commits))[:-8] + f"{number:06}{place:02}"


_END = utc_now()
