"""``provenote note``, ``delete``, ``restore``, ``storage``."""

from tests.app.cli.conftest import Desk


def the_run(desk: Desk) -> str:
    (row,) = desk.json("ledger", "query", "SELECT id FROM run WHERE report = 'quick'")["rows"]
    return str(row[0])


def test_notes_are_shown_and_added_to(used_desk: Desk) -> None:
    run = the_run(used_desk)
    used_desk("note", run, "--tag", "for the paper", "--comment", "Spring tide.\nIndeed.", "--pin")
    told = used_desk.json("note", "latest")
    assert told["run"] == run
    assert told["tags"] == ["for the paper"]
    assert [one["text"] for one in told["comments"]] == ["Spring tide.\nIndeed."]
    assert len(told["pins"]) == 1
    shown = used_desk("note", run).out
    assert f"{run}: for the paper\n  pinned by " in shown
    assert ": Spring tide.\n  Indeed.\n" in shown
    assert used_desk.json("delete", run, status=3)["error"]["code"] == "cannot_delete"
    left = used_desk.json("note", run, "--unpin", "--untag", "for the paper")
    assert (left["tags"], left["pins"]) == ([], [])
    assert used_desk.json("note", run, "--untag", "x", status=2)["error"]["code"] == "unknown_tag"


def test_a_run_is_deleted_and_brought_back(used_desk: Desk) -> None:
    run = the_run(used_desk)
    done = used_desk("delete", run)
    assert done.status == 0
    deletion = done.out.partition("provenote restore ")[2].partition("`")[0]
    assert used_desk.json("show", run, status=2)["error"]["code"] == "deleted_run"
    assert used_desk("restore", deletion).out == f"{run} is back.\n"
    assert used_desk.json("show", run)["id"] == run
    assert used_desk.json("restore", deletion, status=2)["error"]["code"] == "unknown_deletion"


def test_storage_is_measured_and_retention_set(used_desk: Desk) -> None:
    name = used_desk.json("storage", "--measure")["projects"][0]["project"]
    shown = used_desk("storage", name, "quick", "--keep-days", "90").out
    assert "quick: 1 runs" in shown
    assert "kept 90 days" in shown
    assert "kept for ever" in used_desk("storage", name, "quick", "--keep-all").out
    wrong = used_desk.json("storage", name, "quik", "--keep-days", "9", status=2)
    assert "quick" in wrong["error"]["hint"]
    assert used_desk("storage", "--keep-days", "9").status == 2
    assert used_desk("storage", name, "--keep-days", "9", "--keep-all").status == 2
    assert used_desk.json("storage", name, "quik", status=2)["error"]["code"]
