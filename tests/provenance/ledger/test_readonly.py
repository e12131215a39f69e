"""Queries of analysts can read, within their time, and do nothing else."""

import time
from pathlib import Path

import pytest
from sqlalchemy import text

from provenance.errors import ProvenoteError
from provenance.ledger import answers, readonly
from provenance.ledger.answers import Answer, QueryTooLargeError
from provenance.ledger.engine import Ledger
from provenance.ledger.readonly import (
    QueryFailedError,
    QueryRefusedError,
    QueryTooLongError,
    Question,
    ask,
)
from provenance.ledger.sql_text import QueryText
from tests.support.rows import add_project


def answer(ledger: Ledger, query: str, **params: str) -> Answer:
    return ask(ledger, Question(query, params))


@pytest.fixture(params=["looked at", "enforced"])
def guarded(request: pytest.FixtureRequest, ledger: Ledger, monkeypatch) -> Ledger:
    """A ledger with a project; once with, and once without the look at the text before."""
    if request.param == "enforced":
        monkeypatch.setattr(readonly, "_look_at", lambda _: None)
    add_project(ledger)
    return ledger


WRITES = (
    "INSERT INTO project (id, name, url) VALUES ('x', 'x', 'x')",
    "UPDATE project SET url = 'elsewhere'",
    "DELETE FROM project",
    "DROP TABLE project",
    "CREATE TABLE mine (a INTEGER)",
    "CREATE TEMPORARY TABLE mine AS SELECT 1",
    "WITH gone AS (SELECT 1) DELETE FROM project",
    "SELECT 1; DELETE FROM project",
    "SELECT 1; COMMIT; DELETE FROM project",
    "COMMIT",
)
SQLITE_WRITES = (
    "PRAGMA query_only = OFF",
    "PRAGMA user_version = 7",
    "ATTACH DATABASE '{folder}/other.sqlite' AS other",
    "VACUUM INTO '{folder}/other.sqlite'",
    "SELECT load_extension('{folder}/other.sqlite')",
    "REPLACE INTO project (id, name, url) VALUES ('x', 'x', 'x')",
)
POSTGRESQL_WRITES = (
    "COPY project TO '{folder}/other.csv'",
    "COPY project TO PROGRAM 'cat > {folder}/other.csv'",
    "COPY project TO STDOUT",
    "WITH gone AS (DELETE FROM project RETURNING id) SELECT * FROM gone",
    "SELECT * INTO mine FROM project",
    "SELECT id FROM project FOR UPDATE",
    "SET TRANSACTION READ WRITE",
    "DO $$ BEGIN DELETE FROM project; END $$",
    "CALL nothing()",
)


def _refused(ledger: Ledger, query: str, folder: Path) -> None:
    with pytest.raises(ProvenoteError) as refused:
        answer(ledger, query.format(folder=folder))
    assert isinstance(refused.value, QueryRefusedError | QueryFailedError)
    assert refused.value.hint
    with ledger.reading() as session:
        found = session.execute(text("SELECT count(*), max(url) FROM project")).one()
    assert tuple(found) == (1, "https://git.example.org/p.git")
    assert not list(folder.glob("other*"))


@pytest.mark.parametrize("query", WRITES)
def test_writing_is_refused(guarded: Ledger, query: str, tmp_path: Path) -> None:
    _refused(guarded, query, tmp_path)


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
@pytest.mark.parametrize("query", SQLITE_WRITES)
def test_what_only_sqlite_could_write_is_refused(
    guarded: Ledger, query: str, tmp_path: Path
) -> None:
    _refused(guarded, query, tmp_path)


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
@pytest.mark.parametrize("query", POSTGRESQL_WRITES)
def test_what_only_postgresql_could_write_is_refused(
    guarded: Ledger, query: str, tmp_path: Path
) -> None:
    _refused(guarded, query, tmp_path)


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "query",
    [
        "SELECT pg_read_file('/etc/hostname')",
        "SELECT pg_catalog.PG_READ_FILE /* a file */ ('/etc/hostname')",
        """SELECT "pg_read_file"('/etc/hostname')""",
        "SELECT * FROM pg_ls_dir('/')",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT pg_terminate_backend(1)",
        "SELECT pg_advisory_lock(1)",
        "SELECT query_to_xml('DELETE FROM project', true, true, '')",
        "SELECT 'a' -- '\r, pg_read_file('/etc/hostname') --'",
        "SELECT $$'$$, pg_read_file('/etc/hostname') --'",
        "SELECT 1$$'$$, pg_read_file('/etc/hostname') --'",
        "SELECT ('/etc/hostname'::text).pg_read_file",
        """SELECT (f.x) . /* a file */ "pg_read_file" FROM (SELECT '/etc/hostname'::text AS x) f""",
    ],
)
def test_a_function_that_does_more_than_compute_is_refused(ledger: Ledger, query: str) -> None:
    with pytest.raises(QueryRefusedError, match="may do something else than read"):
        answer(ledger, query)


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM pg_hba_file_rules",
        "SELECT * FROM pg_catalog . /* a view */ PG_FILE_SETTINGS",
        """SELECT * FROM "pg_shadow" AS quiet""",
        "SELECT * FROM (TABLE pg_authid) AS quiet",
        "SELECT setting FROM pg_settings",
        "SELECT current_setting('data_directory')",
        "SELECT ('data_directory'::text).current_setting",
        "SELECT * FROM pg_show_all_settings()",
        "SELECT table_to_xml('pg_authid', true, true, '')",
        "SELECT schema_to_xml_and_xmlschema('pg_catalog', true, true, '')",
    ],
)
def test_what_tells_of_the_server_is_refused_on_postgresql(ledger: Ledger, query: str) -> None:
    with pytest.raises(QueryRefusedError, match=r"not of the ledger.*v_runs"):
        answer(ledger, query)


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_the_name_of_a_server_view_may_stand_in_a_text(ledger: Ledger) -> None:
    assert answer(ledger, "SELECT 'pg_shadow' AS told").rows == (("pg_shadow",),)


@pytest.mark.parametrize(
    "query",
    [
        r"""SELECT U&"\0070g_read_file"('/etc/hostname')""",
        "SELECT E'a'\n'b\\' , ' , pg_read_file('/etc/hostname') --'",
    ],
)
def test_a_name_cannot_be_hidden_by_escapes(ledger: Ledger, query: str) -> None:
    with pytest.raises(QueryRefusedError, match="written with escapes"):
        answer(ledger, query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT /* /* */ ' */ pg_read_file('/etc/hostname') --'",
        "SELECT /*/* */ ' */*/ pg_read_file('/etc/hostname') --'",
    ],
)
def test_a_name_cannot_be_hidden_by_comments_in_comments(ledger: Ledger, query: str) -> None:
    with pytest.raises(QueryRefusedError, match="within a comment"):
        answer(ledger, query)


def test_functions_that_compute_are_there(ledger: Ledger) -> None:
    add_project(ledger)
    assert answer(ledger, "SELECT upper('a'), count(*), abs(-2) FROM project").rows == (
        ("A", 1, 2),
    )
    assert len(answer(ledger, "SELECT random()").rows) == 1


def test_parameters_are_bound_and_never_read_as_sql(ledger: Ledger) -> None:
    project = add_project(ledger)
    query = "SELECT name, '100% :n' FROM project WHERE name = :name -- :other"
    assert answer(ledger, query, name=project.name).rows == ((project.name, "100% :n"),)
    assert answer(ledger, query, name="' OR 1=1 --").rows == ()


def test_numbers_are_compared_as_numbers(ledger: Ledger) -> None:
    add_project(ledger)
    query = "SELECT 1 FROM project GROUP BY url HAVING count(*) < :most"
    assert answer(ledger, query, most="10").rows == ((1,),)
    assert answer(ledger, query, most="1").rows == ()


def test_text_that_begins_like_a_number_stays_text(ledger: Ledger) -> None:
    with ledger.writing() as session:
        session.execute(
            text(
                "INSERT INTO project (id, name, url, default_branch, hook_generation, created_at)"
                " VALUES ('p', '007', 'u', 'main', 1, '2026-01-01')"
            )
        )
    assert answer(ledger, "SELECT name FROM project WHERE name = :n", n="007").rows == (("007",),)


def test_a_missing_parameter_and_one_too_many_are_told(ledger: Ledger) -> None:
    with pytest.raises(QueryFailedError, match=r":report, which has no value.*-p report=…"):
        answer(ledger, "SELECT 1 FROM v_runs WHERE report = :report")
    with pytest.raises(QueryFailedError, match=r"not name :reprot.*Did you mean 'report'"):
        answer(ledger, "SELECT 1 FROM v_runs WHERE report = :report", report="a", reprot="b")


def test_an_unknown_table_is_told_with_the_nearest_view(ledger: Ledger) -> None:
    with pytest.raises(QueryFailedError, match=r"v_metrcs.*Did you mean 'v_metrics'\?"):
        answer(ledger, "SELECT * FROM v_metrcs")
    with pytest.raises(QueryFailedError, match=r"zzzz.*The views are: v_runs, v_metrics"):
        answer(ledger, "SELECT * FROM zzzz")


def test_an_unknown_column_is_told_with_the_nearest(ledger: Ledger) -> None:
    with pytest.raises(QueryFailedError, match=r"committed_a.*Did you mean 'committed_at'\?"):
        answer(ledger, "SELECT r.committed_a FROM v_runs r")


def test_a_mistake_in_the_sql_is_told_in_the_words_of_the_database(ledger: Ledger) -> None:
    with pytest.raises(QueryFailedError, match=r'near "(v_runs|FORM)"'):
        answer(ledger, "SELECT * FORM v_runs")
    with pytest.raises(QueryFailedError, match="The query is empty"):
        answer(ledger, " -- nothing\n;")


def test_rows_beyond_the_limit_are_left_out_and_that_is_said(ledger: Ledger) -> None:
    query = "VALUES (1), (2), (3)"
    assert ask(ledger, Question(query, limit=2)) == Answer(("column1",), ((1,), (2,)), more=True)
    assert not ask(ledger, Question(query, limit=3)).more


def test_a_query_that_takes_too_long_is_stopped(ledger: Ledger) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT count(*) FROM n AS a"
    )
    began = time.monotonic()
    with pytest.raises(QueryTooLongError, match=r"within 0\.2 s.*--seconds"):
        ask(ledger, Question(endless, seconds=0.2))
    assert time.monotonic() - began < 20


def test_a_connection_writes_again_after_a_query(ledger: Ledger) -> None:
    for _ in range(3):
        answer(ledger, "SELECT 1")
    with ledger.writing() as session:
        zone = "SHOW statement_timeout" if session.get_bind().dialect.name != "sqlite" else ""
        assert not zone or session.execute(text(zone)).scalar() == "0"
    add_project(ledger)
    assert answer(ledger, "SELECT count(*) FROM project").rows == ((1,),)


def test_a_writer_at_work_keeps_nobody_from_reading(ledger: Ledger) -> None:
    add_project(ledger)
    with ledger.writing() as session:
        session.execute(text("UPDATE project SET url = 'u2'"))
        assert answer(ledger, "SELECT url FROM project").rows == (
            ("https://git.example.org/p.git",),
        )


def test_sqlite_is_opened_for_reading_only(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'no such file.sqlite'}")
    with pytest.raises(QueryFailedError, match="unable to open"):
        answer(ledger, "SELECT 1")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("query", "binds"),
    [
        ("SELECT :a, :b, :a", ("a", "b")),
        ("SELECT ':a' || ':b''c' || \":d\"", ()),
        ("SELECT 1 -- :a\n + :b /* :c\n :d */", ("b",)),
        ("SELECT '1'::integer + :n::integer", ("n",)),
        ("SELECT $x$ :a $$ :b $x$, $$:c$$", ()),
    ],
)
def test_parameters_are_found_where_they_are_such(query: str, binds: tuple[str, ...]) -> None:
    assert QueryText(query).binds == binds


@pytest.mark.parametrize(
    ("query", "several"),
    [("SELECT 1", False), ("SELECT 1;", False), ("SELECT 1; -- end\n ;", False),
     ("SELECT ';', \";\" -- ;", False), ("SELECT 1; SELECT 2", True)],
)  # fmt: skip
def test_a_second_statement_is_seen(query: str, several: bool) -> None:
    assert QueryText(query).several is several


def repeated(ledger: Ledger, times: int) -> str:
    """Return the SQL of a text of so many letters."""
    sqlite = ledger.engine.dialect.name == "sqlite"
    zeros = f"substr(hex(zeroblob({times} / 2 + 1)), 1, {times})"
    return zeros if sqlite else f"repeat('x', {times})"


@pytest.mark.parametrize("times", [2**20 + 1, 100_000_000])
def test_a_value_that_nobody_can_look_at_is_refused_with_a_way_out(
    ledger: Ledger, times: int
) -> None:
    with pytest.raises(QueryTooLargeError, match="a value may have 1 MiB") as caught:
        answer(ledger, f"SELECT 1 AS n, {repeated(ledger, times)} AS text")
    assert "substr(" in caught.value.hint
    fine = answer(ledger, f"SELECT {repeated(ledger, 2**20)} AS text, length('x')")
    assert len(fine.rows[0][0]) == 2**20


def test_which_value_is_too_long_is_said(ledger: Ledger) -> None:
    query = f"SELECT 'a' AS short, 'b' AS text UNION ALL SELECT 'a', {repeated(ledger, 2**20 + 1)}"
    with pytest.raises(QueryTooLargeError, match="Column 'text' of row 2 has 1,048,577"):
        answer(ledger, query)


def test_an_answer_as_a_whole_has_its_limit_too(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
    query = f"{many} SELECT {repeated(ledger, 2**18)} AS text FROM n"
    monkeypatch.setattr(answers, "LARGEST_ANSWER", 4 * 1024**2)
    with pytest.raises(QueryTooLargeError, match="rows have more than 4 MiB") as caught:
        answer(ledger, query)
    assert "--limit" in caught.value.hint
    few = ask(ledger, Question(query, limit=12))
    assert (len(few.rows), few.more) == (12, True)
