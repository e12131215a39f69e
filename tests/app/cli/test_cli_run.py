"""``provenote run``, ``plan`` and ``show``: what they do, print, leave and return."""

import hashlib
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from provenance.ledger.engine import Ledger
from provenance.ledger.figures import write_figures
from provenance.ledger.tables import Run, RunEvent
from provenance.ledger.words import unread_pages
from tests.app.cli.conftest import Desk
from tests.support.processes import Home, ended
from tests.support.repository import make_repository, notebook
from tests.support.tides import MANIFEST, QUICK, STAGE, Gate

RUN_FIELDS = {
    "id", "project", "report", "status", "verdict", "commit", "branch", "params", "trigger",
    "actor", "created_at", "started_at", "finished_at", "key", "record", "reused", "metrics",
    "checks", "inputs", "links", "jobs",
}  # fmt: skip
JOB_FIELDS = {"stage", "key", "status", "reason", "sentence"}


def jobs(run: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {job["stage"]: (job["status"], job["reason"]) for job in run["jobs"]}


def test_a_new_project_runs_and_then_everything_is_reused(home: Home, tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "Blue Whales")
    made = home.run("init", "--json", cwd=repository.path)
    assert (made.status, made.err) == (0, "")
    assert set(made.json["made"]) >= {"provenote.toml", "reports/first_look.ipynb"}
    assert 'name = "blue-whales"' in (repository.path / "provenote.toml").read_text()
    first = home.run("run", cwd=repository.path)
    assert (first.status, first.out) == (0, ""), first.err
    assert first.err.count("✓ passed") == 2
    again = home.run("run", "--json", cwd=repository.path)
    assert again.status == 0
    runs = again.json["items"]
    assert [run["params"] for run in runs] == [{"days": 60}, {"days": 365}]
    assert all(run["reused"] for run in runs)
    assert all(job["status"] == "reused" for run in runs for job in run["jobs"])
    refused = home.run("init", "--json", cwd=repository.path)
    assert (refused.status, refused.json["error"]["code"]) == (2, "project_there")


def test_a_failed_check_and_a_raised_error_are_told_apart(desk: Desk) -> None:
    failed = desk("run", "quick", "-p", "n=100")
    assert (failed.status, failed.out) == (1, "")
    assert "fewer than a hundred tides" in failed.err
    raised = desk("run", "quick", "-p", "n=13", "--json")
    assert raised.status == 3
    assert raised.json["verdict"] == "error"
    error = raised.json["error"]
    assert (error["stage"], error["where"]) == ("count", "stages/count.py:3")
    assert "thirteen tides are too many" in error["message"]
    assert "stages/count.py:3" in raised.err


def test_the_run_object_says_what_was_executed_and_why(used_desk: Desk) -> None:
    run = used_desk.json("run", "quick")
    assert set(run) >= RUN_FIELDS
    assert (run["project"], run["report"], run["trigger"]) == ("tides", "quick", "cli")
    assert (run["status"], run["verdict"], run["branch"]) == ("finished", "passed", "main")
    assert (run["commit"], run["params"]) == (used_desk.repository.head, {"n": 1})
    assert run["metrics"] == [{"name": "waves", "value": 1.0, "unit": "tides", "better": None}]
    assert [job["stage"] for job in run["jobs"]] == ["count", "report"]
    for job in run["jobs"]:
        assert set(job) >= JOB_FIELDS
        assert (job["status"], job["reason"]) == ("reused", None)
        assert job["sentence"].startswith("unchanged since 20")
    forced = used_desk.json("run", "quick", "--force")
    assert jobs(forced) == {"count": ("executed", "forced"), "report": ("executed", "forced")}


def test_show_tells_a_run_as_run_did(used_desk: Desk) -> None:
    run = used_desk.json("run", "quick")
    assert used_desk.json("show", run["id"]) == run
    told = used_desk("show", run["id"])
    assert told.status == 0
    for part in (run["id"], run["commit"], run["key"], run["inputs"][0]["sha256"], "param n"):
        assert part in told.out
    unknown = used_desk("show", "run_nowhere", "--json")
    assert (unknown.status, unknown.json["error"]["code"]) == (2, "unknown_run")


def test_show_tells_how_many_figures_the_page_has_once_they_are_known(used_desk: Desk) -> None:
    run = used_desk.json("run", "quick")
    assert run["figures"] is None
    assert "figures" not in used_desk("show", run["id"]).out
    ledger = Ledger(f"sqlite:///{used_desk.home.path / 'ledger.sqlite'}")
    with ledger.writing() as session:
        for page in unread_pages(session, 99):
            write_figures(session, page.id, [], 3)
    ledger.close()
    assert used_desk.json("show", run["id"])["figures"] == 3
    assert f"3, at {run['links']['page']}/figures" in used_desk("show", run["id"]).out


def test_plan_says_what_run_then_does_and_executes_nothing(desk: Desk) -> None:
    compare_plan_with_run(desk, {"count": "new", "report": "new"})
    compare_plan_with_run(desk, {})
    desk.repository.write({"stages/count.py": f"# A remark.\n{STAGE}"})
    compare_plan_with_run(desk, {})
    desk.repository.write({"reports/quick.ipynb": QUICK.replace("print(waves)", "print(waves, 2)")})
    compare_plan_with_run(desk, {"report": "code"})
    desk.repository.write({"stages/count.py": STAGE.replace('"tide "', '"wave "')})
    compare_plan_with_run(desk, {"count": "code", "report": "inputs"})


def test_a_file_whose_name_would_steer_the_terminal_is_told_in_a_plan(desk: Desk) -> None:
    opened = desk.repository.path / "stages" / "a\x1b[2J\u202eb.txt"
    opened.write_text("tide")
    stage = desk.repository.path / "stages" / "count.py"
    look = "next(__import__('pathlib').Path(__file__).parent.glob('*.txt')).read_text()"
    stage.write_text(f"def build(n: int) -> str:\n    return {look} * n\n")
    assert desk("run", "quick").status == 0
    opened.write_text("tides")
    done = desk("plan", "quick")
    assert "a\N{REPLACEMENT CHARACTER}[2J" in done.out
    assert not {"\x1b", "\u202e"} & set(done.out)


def compare_plan_with_run(desk: Desk, executed: dict[str, str]) -> None:
    """Plan, see that nothing happened, run, and compare the two; *executed* with reasons."""
    desk("plan")  # an environment that has to be built is, and what that says is kept
    before = traces(desk.home)
    (plan,) = (one for one in desk.json("plan") if one["report"] == "quick")
    assert traces(desk.home) == before
    run = desk.json("run", "quick")
    done = {job["stage"]: job for job in run["jobs"]}
    for job in plan["jobs"]:
        said, did = job["status"], done[job["stage"]]
        if said == "waits":
            assert job["key"] is None
            continue
        assert did["status"] == {"reused": "reused", "execute": "executed"}[said]
        assert {name: did[name] for name in ("key", "reason", "sentence")} == {
            name: job[name] for name in ("key", "reason", "sentence")
        }
    assert {name: job["reason"] for name, job in done.items() if job["reason"]} == executed


def traces(home: Home) -> tuple[int, list[Path]]:
    """Return how many runs there are, and every file of the store."""
    store = home.path / "store"
    files = [path for path in store.rglob("*") if path.is_file()] if store.exists() else []
    with home.ledger() as ledger, ledger.reading() as session:
        return len(session.scalars(select(Run.id)).all()), sorted(files)


def test_each_file_of_a_run_has_a_sidecar_that_tells_its_hash(used_desk: Desk) -> None:
    run = used_desk.json("run", "quick")
    folder = used_desk.repository.path / ".provenote"
    page = folder / "reports" / "quick" / "default.html"
    given = folder / "inputs" / "quick" / "count.txt"
    assert given.read_text() == "tide "
    assert told_by_sidecar(given)["output"]["sha256"] == sha256(given)
    told = told_by_sidecar(page)
    assert told["output"]["sha256"] == sha256(page)
    assert (told["key"], told["record_id"]) == (run["key"], run["record"])
    assert (told["code"]["commit"], told["code"]["dirty"]) == (used_desk.repository.head, None)
    assert used_desk.repository.git("status", "--porcelain") == ""


def test_a_page_with_an_error_has_a_sidecar_of_its_own(desk: Desk) -> None:
    assert desk("run", "quick").status == 0
    broken = QUICK.replace("print(waves)", "raise KeyError('low water')")
    desk.repository.commit({"reports/quick.ipynb": broken})
    assert desk("run", "quick").status == 3
    page = desk.repository.path / ".provenote" / "reports" / "quick" / "default.html"
    assert "low water" in page.read_text()
    told = told_by_sidecar(page)
    assert (told["output"]["sha256"], told["extra"]["verdict"]) == (sha256(page), "error")


def told_by_sidecar(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.with_name(f"{path.name}.prov.json").read_bytes())
    return found


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_uncommitted_changes_are_recorded(desk: Desk) -> None:
    desk.repository.write({"notes.txt": "not committed"})
    run = desk.json("run", "quick")
    row = desk.home.row(run["id"])
    assert row.commit_sha == desk.repository.head
    assert row.dirty is not None
    page = desk.repository.path / ".provenote" / "reports" / "quick" / "default.html"
    assert told_by_sidecar(page)["code"]["dirty"] == row.dirty
    assert "uncommitted" in page.read_text()


def test_a_commit_is_run_as_it_is_whatever_the_working_tree_holds(desk: Desk) -> None:
    first = desk.repository.head
    second = desk.repository.commit({"stages/count.py": STAGE.replace('"tide "', '"wave "')})
    desk.repository.git("checkout", "--quiet", "--detach")
    third = desk.repository.commit({"stages/count.py": STAGE.replace('"tide "', '"swell "')})
    desk.repository.write({"provenote.toml": "[project", "stages/count.py": "raise SystemExit"})
    given = desk.repository.path / ".provenote" / "inputs" / "quick" / "count.txt"
    expected = {
        "HEAD~2": (first, None, "tide "),
        "main": (second, "main", "wave "),
        "HEAD": (third, None, "swell "),
    }
    for revision, (sha, branch, content) in expected.items():
        run = desk.json("run", "quick", "--commit", revision)
        assert (run["commit"], run["branch"], run["verdict"]) == (sha, branch, "passed")
        assert given.read_text() == content
        assert desk.home.row(run["id"]).dirty is None


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_cancels_what_is_running_and_what_waits(desk: Desk, asked: signal.Signals) -> None:
    gates = [Gate(desk.home.path.parent / f"gate{number}") for number in (1, 2)]
    cases = ", ".join(f"{{ gate = '{gate.path}' }}" for gate in gates)
    desk.repository.commit({"provenote.toml": f"{MANIFEST}cases = [{cases}]\n"})
    log = desk.home.path.parent / "run.log"
    process = desk.home.start("run", "gated", log=log, cwd=desk.repository.path)
    gates[0].reached()
    process.send_signal(asked)
    assert ended(process, 20) == 130, log.read_text()
    assert "Traceback" not in log.read_text()
    assert desk.home.is_quiet()
    with desk.home.ledger() as ledger, ledger.reading() as session:
        runs = session.scalars(select(Run)).all()
        assert [(run.status, run.verdict) for run in runs] == [("finished", "cancelled")] * 2
        assert runs[0].evaluation.status == "finished"
        assert session.scalars(select(RunEvent)).all() == []
        assert [bool(run.html and run.log) for run in runs] == [True, False]
    (page,) = (desk.repository.path / ".provenote" / "reports" / "gated").glob("*.html")
    assert "the first cell is done" in page.read_text(), "what was finished is kept"
    assert "Ctrl-C again stops at once" in log.read_text()
    assert list((desk.home.path / "work").rglob("run_*")) == []
    assert gates[1].pids == []


def test_what_a_killed_command_has_left_is_cleared_away_by_the_next(desk: Desk) -> None:
    gate = Gate(desk.home.path.parent / "gate")
    cases = f"cases = [{{ gate = '{gate.path}' }}]\n"
    desk.repository.commit({"provenote.toml": f"{MANIFEST}{cases}"})
    log = desk.home.path.parent / "run.log"
    process = desk.home.start("run", "gated", log=log, cwd=desk.repository.path)
    gate.reached()
    process.kill()
    ended(process, 20)
    assert list((desk.home.path / "work").rglob("run_*")) != []
    assert desk.json("run", "quick")["verdict"] == "passed"
    assert list((desk.home.path / "work").rglob("run_*")) == []
    assert desk.home.is_quiet()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "quick", "-p", "m=3"], "parameters", ["'m' is not a parameter", "n"]),
        (["run", "gated", "-p", "gat=3"], "parameters", ["Did you mean 'gate'"]),
        (["run", "quick", "-p", "n=three"], "parameters", ["n: found 'three'", "whole number"]),
        (["run", "quikc"], "unknown_report", ["no report 'quikc'", "Did you mean 'quick'"]),
        (["plan", "quikc"], "unknown_report", ["Did you mean 'quick'"]),
        (["run", "quick", "--commit", "mian"], "unknown_revision", ["Did you mean 'main'"]),
        (["runn"], "usage", ["no command 'runn'", "Did you mean 'run'"]),
        (["run", "--forse"], "usage", ["No such option", "--force"]),
        (["run", "-p", "n=3"], "usage", ["-p needs a REPORT"]),
        (["run", "quick", "-p", "n"], "usage", ["expected NAME=VALUE"]),
        (["run", "quick", "-p", "n=2", "-p", "n=3"], "usage", ["-p n is given twice: '2' and '3'"]),
        (["run", "nope"], "unknown_report", ["There are: quick, gated"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and len(value) > 1 else None,
)
def test_wrong_usage_is_told_with_what_was_probably_meant(
    used_desk: Desk, arguments: list[str], code: str, words: list[str]
) -> None:
    done = used_desk(*arguments, "--json")
    assert done.status == 2
    assert done.json["error"]["code"] == code
    for word in words:
        assert word in done.err
    assert "Traceback" not in done.err


def test_a_parameter_without_a_value_is_asked_for(desk: Desk) -> None:
    manifest = MANIFEST.replace("default = 1\n", "").replace('on = ["push"]\n', "")
    template = QUICK.replace("n = 1\\n", "")
    desk.repository.commit({"provenote.toml": manifest, "reports/quick.ipynb": template})
    done = desk("run", "quick", "--json")
    assert (done.status, done.json["error"]["code"]) == (2, "parameters")
    assert done.json["error"]["problems"][0]["name"] == "n"
    assert "n is missing" in done.err


def test_every_mistake_in_a_manifest_is_told_with_its_line(desk: Desk) -> None:
    mistakes = MANIFEST.replace('type = "int"', 'type = "itn"').replace("template =", "tempalte =")
    desk.repository.write({"provenote.toml": mistakes})
    for command in ("run", "plan"):
        done = desk(command, "--json")
        assert (done.status, done.json["error"]["code"]) == (2, "manifest")
        assert len(done.json["error"]["problems"]) >= 2
        assert "provenote.toml:5" in done.err
        assert "Did you mean 'int'" in done.err
        assert "template" in done.err


def test_a_directory_outside_of_git_is_refused(home: Home, tmp_path: Path) -> None:
    for command in ("run", "plan", "init"):
        done = home.run(command, "--json", cwd=tmp_path)
        assert done.status == 2
        assert "no git repository" in done.json["error"]["message"]
        assert "git init" in done.err


def test_two_cases_with_like_names_have_pages_of_their_own(desk: Desk) -> None:
    template = notebook("# Places", "place = ''", "print(place)", tagged=1)
    cases = "[{ place = 'a b' }, { place = 'a/b' }]"
    manifest = f'{MANIFEST}\n[reports.places]\ntemplate = "reports/places.ipynb"\ncases = {cases}\n'
    desk.repository.commit({"provenote.toml": manifest, "reports/places.ipynb": template})
    assert desk("run", "places").status == 0
    pages = desk.repository.path / ".provenote" / "reports" / "places"
    assert len(list(pages.glob("*.html"))) == 2
