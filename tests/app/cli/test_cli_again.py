"""``provenote reproduce`` and ``whatif``: what they do, print and return."""

from tests.app.cli.conftest import Desk
from tests.support.repository import notebook
from tests.support.tides import STAGE

CHANCE = notebook(
    "# Quick", "n = 1\ncount = None", "import random\nprint(random.random())", tagged=1
)


def test_reproduce_says_identical_and_forgets_nothing(desk: Desk) -> None:
    run = desk.json("run", "quick")
    told = desk.json("reproduce", run["id"])
    assert (told["answer"], told["run"]) == ("identical", run["id"])
    assert told["sentence"] == "Identical: 1 stage and 4 cells gave the same."
    words = desk("reproduce", "latest")
    assert words.status == 0, words.err
    assert "Identical: 1 stage and 4 cells gave the same." in words.out
    assert desk.json("run", "quick")["reused"] is True


def test_reproduce_names_the_cell_that_differs_and_returns_one(desk: Desk) -> None:
    desk.repository.commit({"reports/quick.ipynb": CHANCE})
    run = desk.json("run", "quick")
    told = desk.json("reproduce", run["id"], status=1)
    assert (told["answer"], told["details"]["cell"]) == ("differs", 3)
    words = desk("reproduce", run["id"])
    assert words.status == 1
    assert "Differs at cell 3" in words.out
    near = desk("reproduce", run["id"], "--tolerance", "0.999999")
    assert near.status == 0, near.out


def test_reproduce_of_uncommitted_changes_returns_three(desk: Desk) -> None:
    desk.repository.write({"stages/count.py": STAGE + "# a thought\n"})
    run = desk.json("run", "quick")
    told = desk.json("reproduce", run["id"], status=3)
    assert (told["answer"], told["again"]) == ("cannot", None)
    assert "uncommitted changes" in told["sentence"]


def test_a_commit_that_no_branch_leads_to_is_reproduced_where_it_is(desk: Desk) -> None:
    desk.repository.git("checkout", "--quiet", "--detach")
    sha = desk.repository.commit({"stages/count.py": STAGE.replace("tide ", "wave ")})
    run = desk.json("run", "quick")
    assert run["commit"] == sha
    assert desk.json("reproduce", run["id"])["answer"] == "identical"


def test_whatif_with_another_value_says_what_moved(desk: Desk) -> None:
    run = desk.json("run", "quick")
    told = desk.json("whatif", run["id"], "-p", "n=3")
    assert told["run"]["params"] == {"n": 3}
    assert (told["run"]["purpose"], told["run"]["again_of"]) == ("whatif", run["id"])
    (metric,) = told["explanation"]["results"]["metrics"]
    assert (metric["name"], metric["before"], metric["after"]) == ("waves", 1.0, 3.0)
    assert {cause["kind"] for cause in told["explanation"]["causes"]} == {"parameters"}
    words = desk("whatif", run["id"], "-p", "n=3")
    assert words.status == 0, words.err
    assert "reused: count, report" in words.out
    assert "waves" in words.out


def test_whatif_with_another_commit_takes_a_name_that_git_knows(desk: Desk) -> None:
    desk.repository.commit({"stages/count.py": STAGE.replace('"tide "', '"tide tide "')})
    run = desk.json("run", "quick")
    told = desk.json("whatif", run["id"], "--code", "HEAD~1")
    assert told["run"]["metrics"][0]["value"] == 1.0
    assert [cause["kind"] for cause in told["explanation"]["causes"]] == ["stage_code"]


def test_whatif_wants_exactly_one_thing_to_be_other(desk: Desk) -> None:
    run = desk.json("run", "quick")
    nothing = desk("whatif", run["id"], "--json")
    assert (nothing.status, nothing.json["error"]["code"]) == (2, "swap")
    both = desk("whatif", run["id"], "-p", "n=2", "--code", "main", "--json")
    assert (both.status, both.json["error"]["code"]) == (2, "swap")
    wrong = desk("whatif", run["id"], "-p", "m=2", "--json")
    assert (wrong.status, "n" in str(wrong.json["error"])) == (2, True)


def test_a_failing_check_of_a_whatif_is_told_by_its_status(desk: Desk) -> None:
    run = desk.json("run", "quick")
    told = desk.json("whatif", run["id"], "-p", "n=100", status=1)
    (check,) = told["explanation"]["results"]["checks"]
    assert (check["before"], check["after"]) == (True, False)
