"""Sessions of the ledger: readers, writers, instants."""

import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError

from provenance.ledger.engine import Ledger
from provenance.ledger.history import last_key, remember_key
from provenance.ledger.ids import new_id
from provenance.ledger.intake import CaseToRun, prepare_runs, write_commit
from provenance.ledger.states import Verdict, worst
from provenance.ledger.tables import Commit, Evaluation, Project, Run
from tests.support.rows import SHA, add_evaluation, add_project


def case_on(day: object) -> CaseToRun:
    return CaseToRun(report="daily", params={"day": day}, origins={}, case={"day": day})


def names(ledger: Ledger) -> list[str]:
    with ledger.reading() as session:
        return list(session.scalars(select(Project.name)))


def test_a_reader_is_not_blocked_by_a_writer(ledger: Ledger) -> None:
    add_project(ledger)
    before = names(ledger)
    with ledger.writing() as session:
        session.add(Project(id="p", name="unseen", url="u"))
        session.flush()
        started = time.monotonic()
        assert names(ledger) == before
        assert time.monotonic() - started < 5
    assert sorted(names(ledger)) == sorted([*before, "unseen"])


def test_a_writer_waits_for_the_one_before_it(ledger: Ledger) -> None:
    add_project(ledger)

    def count_up() -> None:
        for _ in range(10):
            with ledger.writing() as session:
                query = select(Project).with_for_update()
                session.scalars(query).one().hook_generation += 1

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ledger.reading() as session:
        assert session.scalars(select(Project.hook_generation)).one() == 41


def test_what_fails_half_way_is_not_written_at_all(ledger: Ledger) -> None:
    def write_half() -> None:
        with ledger.writing() as session:
            session.add(Project(id="p", name="n", url="u"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert names(ledger) == []


def test_what_points_nowhere_is_refused(ledger: Ledger) -> None:
    with pytest.raises(IntegrityError):
        add_evaluation(ledger, Project(id="nowhere", name="n", url="u"))


def test_a_naive_datetime_is_refused(ledger: Ledger) -> None:
    project = Project(id="p", name="n", url="u", created_at=datetime(2026, 1, 1))  # noqa: DTZ001
    with (
        pytest.raises(StatementError, match=r"naive datetime.*give a zone"),
        ledger.writing() as session,
    ):
        session.add(project)
    assert names(ledger) == []


def test_an_instant_comes_back_as_the_same_instant_in_utc(ledger: Ledger) -> None:
    at = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    with ledger.writing() as session:
        session.add(Project(id="p", name="n", url="u", created_at=at))
    with ledger.reading() as session:
        found = session.get_one(Project, "p").created_at
        earlier = select(Project.id).where(Project.created_at < at + timedelta(microseconds=1))
        assert list(session.scalars(earlier)) == ["p"]
        assert list(session.scalars(select(Project.id).where(Project.created_at < at))) == []
    assert found == at
    assert found.utcoffset() == timedelta(0)


def test_the_embedded_database_syncs_every_commit(tmp_path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'deep' / 'ledger.sqlite'}")
    with ledger.engine.connect() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    ledger.close()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_identifiers_sort_by_age_and_never_collide() -> None:
    many = [new_id("run") for _ in range(5_000)]
    assert many == sorted(many)
    assert len(set(many)) == 5_000
    assert all(len(one) == 30 and one.startswith("run_") for one in many)
    assert not set("ilou") & {letter for one in many for letter in one[4:]}


def test_preparing_twice_writes_each_run_once(ledger: Ledger) -> None:
    evaluation = add_evaluation(ledger, add_project(ledger))
    cases = [
        case_on("2013-01-31"),
        case_on("2013-02-28"),
        case_on("2013-01-31"),
    ]
    prepared = []
    for _ in range(2):
        with ledger.writing() as session:
            row = session.get_one(Evaluation, evaluation.id)
            commit = session.get_one(Commit, (row.project_id, SHA))
            prepared.append([run.id for run in prepare_runs(session, row, commit, cases)])
    assert prepared[0] == prepared[1]
    assert len(prepared[0]) == 2
    with ledger.reading() as session:
        assert session.get_one(Evaluation, evaluation.id).prepared
        assert len(list(session.scalars(select(Run.id)))) == 2


def test_a_commit_that_two_write_at_once_is_written_once(ledger: Ledger) -> None:
    project = add_project(ledger)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    commit = Commit(sha="c" * 40, subject="s", author="Ada", committed_at=at, parent=None)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            with ledger.writing() as session:
                write_commit(session, project.id, commit)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with ledger.reading() as session:
        shas = list(session.scalars(select(Commit.sha).where(Commit.sha == commit.sha)))
    assert shas == [commit.sha]


def test_the_last_key_is_that_of_the_same_parameters_where_there_is_one(ledger: Ledger) -> None:
    project = add_project(ledger)
    with ledger.writing() as session:
        assert last_key(session, project.id, "stage:a", "one") is None
        remember_key(session, project.id, "stage:a", "one", "k1")
        session.flush()
        remember_key(session, project.id, "stage:a", "two", "k2")
        session.flush()
        remember_key(session, project.id, "stage:b", "one", "k3")
    with ledger.reading() as session:
        assert last_key(session, project.id, "stage:a", "one") == "k1"
        assert last_key(session, project.id, "stage:a", "two") == "k2"
        assert last_key(session, project.id, "stage:a", "three") == "k2"
        assert last_key(session, "elsewhere", "stage:a", "one") is None


def test_the_worst_verdict_counts() -> None:
    assert worst([]) == Verdict.PASSED
    assert worst([Verdict.CANCELLED, Verdict.PASSED]) == Verdict.CANCELLED
    assert worst([Verdict.FAILED, Verdict.ERROR, Verdict.PASSED]) == Verdict.ERROR


def test_runs_of_an_evaluation_come_in_the_order_they_were_made(ledger: Ledger) -> None:
    evaluation = add_evaluation(ledger, add_project(ledger))
    cases = [case_on(n) for n in range(20)]
    with ledger.writing() as session:
        row = session.get_one(Evaluation, evaluation.id)
        commit = session.get_one(Commit, (row.project_id, SHA))
        prepare_runs(session, row, commit, cases)
    with ledger.reading() as session:
        row = session.get_one(Evaluation, evaluation.id)
        assert [run.params["day"] for run in row.runs] == list(range(20))
