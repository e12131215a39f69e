"""What an analyst sees of the ledger at a terminal."""

import csv
import io

from provenance.ledger.views import VIEWS


def query(desk, text, *options):
    return desk("ledger", "query", text, *options)


def test_rows_are_shown_as_a_table(used_desk):
    done = query(used_desk, "SELECT report, name, value, unit AS u, better FROM v_metrics")
    assert done.status == 0, done.err
    head, rule, row = [line.rstrip() for line in done.out.splitlines()]
    assert head.split() == ["report", "name", "value", "u", "better"]
    assert set(rule.strip()) == {"─"}
    assert row.split() == ["quick", "waves", "1.0", "tides", "null"]


def test_what_could_command_a_terminal_is_shown_and_not_done(used_desk):
    done = query(used_desk, "SELECT :text AS t", "-p", "text=a\x1b[31mb\nc[red]")
    assert "a\\x1b[31mb\\nc[red]" in done.out


def test_rows_are_printed_as_json(used_desk):
    told = used_desk.json("ledger", "query", "SELECT project, 1.5, NULL FROM v_runs")
    assert told["rows"] == [["tides", 1.5, None]]
    assert told["columns"][0] == "project"
    assert told["more"] is False


def test_rows_are_printed_as_csv(used_desk):
    done = query(used_desk, "SELECT 'a,b' AS one, NULL AS two, 3 AS three", "--csv")
    assert list(csv.reader(io.StringIO(done.out))) == [["one", "two", "three"], ["a,b", "", "3"]]


def test_a_parameter_is_given_by_its_name(used_desk):
    text = "SELECT count(*) AS n FROM v_jobs WHERE stage = :stage"
    assert used_desk.json("ledger", "query", text, "-p", "stage=count")["rows"] == [[1]]
    assert used_desk.json("ledger", "query", text, "-p", "stage=other")["rows"] == [[0]]


def test_what_was_left_out_is_said(used_desk):
    done = query(used_desk, "VALUES (1), (2), (3)", "--limit", "2", "--csv")
    assert done.out.splitlines() == ["column1", "1", "2"]
    assert "There are more than 2 rows; --limit shows more." in done.err


def test_a_query_that_takes_too_long_ends_with_status_3(used_desk):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n"
    done = query(used_desk, endless, "--seconds", "0.2")
    assert done.status == 3
    assert "did not end within 0.2 s" in done.err


def test_writing_is_refused_with_words(used_desk):
    told = used_desk.json("ledger", "query", "DELETE FROM run", status=2)
    assert told["error"]["code"] == "query_refused"
    assert "can only be read" in told["error"]["message"]


def test_a_mistyped_view_is_told_with_the_nearest(used_desk):
    done = query(used_desk, "SELECT * FROM v_run")
    assert done.status == 2
    assert "Did you mean 'v_runs'?" in done.err


def test_one_form_of_output_is_asked_for(used_desk):
    done = query(used_desk, "SELECT 1", "--json", "--csv")
    assert done.status == 2
    assert "--csv and --json" in done.err


def test_all_views_and_columns_are_listed(used_desk):
    items = used_desk.json("ledger", "tables")["items"]
    assert {item["view"]: list(item["columns"]) for item in items} == {
        name: list(view.columns) for name, view in VIEWS.items()
    }
    shown = used_desk("ledger", "tables").out
    assert "v_batches: a batch" in shown
    assert "  is_current       1 for the batch that readers get now, else 0" in shown


def test_a_value_that_nobody_can_look_at_is_refused_with_a_way_out(used_desk):
    told = used_desk.json("ledger", "query", "SELECT hex(zeroblob(9000000)) AS h", status=2)
    assert told["error"]["code"] == "query_too_large"
    assert "'h' of row 1" in told["error"]["message"]
    assert "substr(" in told["error"]["hint"]
