"""``provenote explain`` and ``provenote used-by``."""

from pathlib import Path

import pytest
from sqlalchemy import select

from provenance.ledger.tables import RunJob
from provenance.ledger.uses import remember_uses
from provenance.record import parse_record
from provenance.store import Store
from tests.app.cli.conftest import Desk
from tests.support.processes import make_home
from tests.support.tides import STAGE, make_tides


@pytest.fixture(scope="module")
def shore(
    tmp_path_factory: pytest.TempPathFactory, environments: Path, default_environment: Path
) -> tuple[Desk, list[str]]:
    """A desk at which ``quick`` was run before and after a stage was edited, and its runs."""
    folder = tmp_path_factory.mktemp("shore")
    desk = Desk(make_home(folder, environments), make_tides(folder / "tides"))
    first = desk.json("run", "quick")
    desk.repository.commit({"stages/count.py": STAGE.replace('"tide "', '"wave \\x1b[31m wave "')})
    second = desk.json("run", "quick")
    store = Store(desk.home.path / "store")
    with desk.home.ledger() as ledger, ledger.writing() as session:
        for record_id in set(session.scalars(select(RunJob.record))):
            remember_uses(session, str(record_id), parse_record(store.read(str(record_id))))
    return desk, [run["items"][0]["id"] if "items" in run else run["id"] for run in (first, second)]


def test_the_cause_is_printed_with_its_diff_and_what_moved(shore: tuple[Desk, list[str]]) -> None:
    desk, runs = shore
    done = desk("explain", *runs)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("The code changed: stages/count.py (count). Metric waves moved")
    assert '-    return "tide " * n' in done.out
    assert "waves                    1 → 3" in done.out
    assert "follows from count" in done.out


def test_the_run_before_is_found_by_itself(shore: tuple[Desk, list[str]]) -> None:
    desk, runs = shore
    told = desk.json("explain", runs[1], "--previous")
    assert [told["a"], told["b"]] == runs
    assert desk.json("explain", "latest")["a"] >= runs[1]
    assert [cause["kind"] for cause in told["causes"]] == ["stage_code"]
    alone = desk("explain", runs[0], "--previous", "--json")
    assert (alone.status, alone.json["error"]["code"]) == (2, "no_other_run")


def test_one_run_is_told_as_a_story(shore: tuple[Desk, list[str]]) -> None:
    desk, runs = shore
    told = desk.json("explain", runs[0])
    assert (told["a"], told["b"]) == (runs[0], None)
    done = desk("explain", runs[0])
    assert "tides / quick passed" in done.out
    assert "packages in use" in done.out


def test_nothing_that_a_project_wrote_steers_the_terminal(
    home_of_hostile: tuple[Desk, list[str]],
) -> None:
    desk, runs = home_of_hostile
    done = desk("explain", *runs)
    assert done.status == 0
    assert "\x1b" not in done.out
    assert "\N{REPLACEMENT CHARACTER}[31m" in done.out


@pytest.fixture(scope="module")
def home_of_hostile(shore: tuple[Desk, list[str]]) -> tuple[Desk, list[str]]:
    desk, _ = shore
    text = 'def build(n: int) -> str:\n    """\x1b[31m"""\n    return "ebb " * n\n'
    first = desk.json("run", "quick", "-p", "n=2")["id"]
    desk.repository.commit({"stages/count.py": text})
    return desk, [first, desk.json("run", "quick", "-p", "n=2")["id"]]


def test_wrong_usage_is_told(shore: tuple[Desk, list[str]]) -> None:
    desk, runs = shore
    both = desk("explain", *runs, "--previous")
    assert both.status == 2
    assert "leave OTHER out" in both.err
    unknown = desk("explain", "run_0", "--json")
    assert (unknown.status, unknown.json["error"]["message"]) == (2, "There is no run 'run_0'.")


def test_a_thing_is_taken_for_what_it_looks_like(shore: tuple[Desk, list[str]]) -> None:
    desk, runs = shore
    of_file = desk.json("used-by", "stages/count.py")
    assert of_file["kind"] == "file"
    found = [run["id"] for report in of_file["reports"] for run in report["runs"]]
    assert found[-2:] == runs[::-1]
    assert desk.json("used-by", "ipython")["kind"] == "package"
    digest = desk.home.row(runs[0]).jobs[0].record
    assert desk.json("used-by", str(digest)[:12])["kind"] == "record"
    told = desk("used-by", "stages/count.py")
    assert "through count" in told.out
    assert "the latest run," in told.out
    assert "  ● " in told.out, "≠ and = are for what differs and what is the same"


def test_an_unknown_thing_is_answered_with_the_nearest(shore: tuple[Desk, list[str]]) -> None:
    desk, _ = shore
    done = desk("used-by", "stages/cuont.py", "--json")
    assert (done.status, done.json["error"]["hint"]) == (2, "Did you mean 'stages/count.py'?")
    named = desk("used-by", "ipython", "--as", "file", "--project", "tides")
    assert named.status == 2
