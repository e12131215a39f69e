"""The demo tells its story: what each commit did to the results, and what it cost."""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import free_port, make_home
from tests.support.waiting import wait_for

WHOLE_HISTORY_SECONDS = 420.0
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Story:
    """The evaluated history: runs and jobs by commit, oldest first."""

    def __init__(self, ledger: Path, store: Path) -> None:
        self._rows = sqlite3.connect(ledger)
        self._rows.row_factory = sqlite3.Row
        self.store = store

    def commits(self) -> list[str]:
        query = 'SELECT sha FROM "commit" ORDER BY committed_at'
        return [row["sha"] for row in self._rows.execute(query)]

    def called(self, word: str) -> str:
        query = 'SELECT sha FROM "commit" WHERE subject LIKE ? ORDER BY committed_at'
        return str(self._rows.execute(query, [f"%{word}%"]).fetchone()["sha"])

    def runs(self, sha: str) -> list[sqlite3.Row]:
        return list(self._rows.execute("SELECT * FROM run WHERE commit_sha = ?", [sha]))

    def verdicts(self, sha: str, report: str) -> set[str]:
        return {row["verdict"] for row in self.runs(sha) if row["report"] == report}

    def executed(self, sha: str) -> Mapping[str, set[str]]:
        """What was executed for the commit: the names of jobs by report."""
        query = """SELECT run.report, run_job.stage FROM run_job JOIN run ON run.id = run_job.run_id
                   WHERE run.commit_sha = ? AND run_job.status = 'executed'"""
        found: dict[str, set[str]] = defaultdict(set)
        for row in self._rows.execute(query, [sha]):
            found[row["report"]].add(row["stage"])
        return found

    def metric(self, sha: str, report: str, name: str) -> list[float]:
        query = """SELECT metric.value FROM metric JOIN run ON run.id = metric.run_id
                   WHERE run.commit_sha = ? AND run.report = ? AND metric.name = ?
                   ORDER BY run.case_key"""
        return [row["value"] for row in self._rows.execute(query, [sha, report, name])]

    def failed_checks(self, sha: str) -> list[str]:
        query = """SELECT "check".message FROM "check" JOIN run ON run.id = "check".run_id
                   WHERE run.commit_sha = ? AND NOT "check".ok"""
        return [row["message"] for row in self._rows.execute(query, [sha])]

    def page(self, run: sqlite3.Row) -> str:
        digest = run["html"]
        return (self.store / "objects" / digest[:2] / digest).read_text()


@pytest.fixture(scope="module")
def story(
    tmp_path_factory: pytest.TempPathFactory, environments: Path, default_environment: Path
) -> Iterator[Story]:
    home = make_home(tmp_path_factory.mktemp("demo"), environments)
    told = home.run("demo", "--json")
    assert told.status == 0, told.err
    assert told.json["queued"] == len(told.json["commits"])
    serving = ("serve", "--port", str(free_port()))
    server = home.start(*serving, log=home.path.parent / "log", ALLOW_FILE_REPOSITORIES="1")
    ledger = home.path / "ledger.sqlite"
    try:
        wait_for(
            lambda: server.poll() is not None or not _open_evaluations(ledger),
            "the history to be evaluated",
            WHOLE_HISTORY_SECONDS,
        )
        assert server.poll() is None, (home.path.parent / "log").read_text()
        yield Story(ledger, home.path / "store")
    finally:
        home.kill()


def _open_evaluations(ledger: Path) -> Any:
    query = "SELECT count(*) FROM evaluation WHERE status NOT IN ('finished', 'dead')"
    with sqlite3.connect(ledger) as rows:
        return rows.execute(query).fetchone()[0]


def test_every_commit_is_evaluated_and_nothing_is_an_error(story: Story):
    commits = story.commits()
    assert len(commits) >= 6
    for sha in commits:
        runs = story.runs(sha)
        assert len({run["report"] for run in runs}) >= 4
        assert {run["verdict"] for run in runs} <= {"passed", "failed"}


def test_the_bug_is_caught_and_its_fix_passes(story: Story):
    good, bug = story.called("congestion of the hour"), story.called("sort by carrier")
    fix = story.called("join by the hour again")
    assert story.verdicts(good, "regression_test") == {"passed"}
    assert story.verdicts(bug, "regression_test") == {"failed"}
    assert story.verdicts(fix, "regression_test") == {"passed"}
    before = story.metric(good, "regression_test", "rmse")
    after = story.metric(bug, "regression_test", "rmse")
    assert all(worse > better for worse, better in zip(after, before, strict=True))
    assert any("rmse" in message for message in story.failed_checks(bug))
    assert story.failed_checks(fix) == []


def test_an_edit_of_comments_executes_nothing(story: Story):
    assert story.executed(story.called("say what the constants mean")) == {}


def test_an_edit_of_one_template_executes_that_report_alone(story: Story):
    sha = story.called("set wind and sight")
    assert story.executed(sha) == {"anomaly_report": {"report"}}


def test_a_page_says_how_it_came_to_be_and_needs_no_network(story: Story):
    for run in story.runs(story.called("sort by carrier")):
        page = story.page(run)
        record = json.loads(
            re.search(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', page, re.S)[1]
        )
        for sha256 in (found["sha256"] for found in record["inputs"]):
            assert sha256 in page
        made_from = record["code"]["commit"]  # of the run that the page was made for
        assert made_from in page
        assert run["key"] in page
        assert "provenote run" in page
        assert not re.search(r'(?:src|href)="https?://', page)
