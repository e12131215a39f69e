import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

import app.intake.request as door
from app.intake.request import (
    DirtyRunError,
    Requester,
    RunRequest,
    accept_again,
    accept_run,
    accept_runs,
)
from app.run_object import whole_run
from pipeline.manifest_parts.problems import ManifestError
from pipeline.parameters import ParameterError
from pipeline.repository.checkout import CommitInfo
from pipeline.repository.git import InvalidRevisionError
from pipeline.repository.mirror import RepositoryUnreachableError, UnknownRevisionError
from provenance.errors import NotFoundError
from provenance.ledger.ids import new_id
from provenance.ledger.intake import CaseToRun, case_key, prepare_runs
from provenance.ledger.states import Status, Trigger
from provenance.ledger.tables import Commit, Evaluation, Project, Run
from tests.app.intake.world import Bell, rows

ADA = Requester(Trigger.FORM, "ada")


@pytest.fixture
def ask(installation, project, bell):
    def asked(**changes):
        wanted = {"project": "weather", "report": "daily", "params": {}} | changes
        return accept_run(installation, RunRequest(**wanted), ADA, bell)

    return asked


def test_a_request_becomes_a_queued_run_of_a_prepared_evaluation(
    ask, installation, repository, bell
):
    sha = repository.git("rev-parse", "HEAD")
    run = ask(params={"day": "2013-02-28", "limit": "7", "smooth": "false"}, force=True)

    with installation.ledger.reading() as session:
        found = whole_run(session, run.id)
        commit = session.get(Commit, (found.project_id, sha))
    assert found.status == Status.QUEUED
    assert found.commit_sha == sha
    assert found.branch == "main"
    assert found.params == {
        "day": "2013-02-28",
        "limit": 7,
        "factor": 0.5,
        "smooth": False,
        "station": "south",
        "note": "as usual",
        "weights": [1, 2],
    }
    assert found.case == {"day": "2013-02-28", "limit": 7, "smooth": False}
    assert found.case_key == case_key(found.case)
    evaluation = found.evaluation
    assert (evaluation.status, evaluation.prepared, evaluation.force) == ("running", True, True)
    assert (evaluation.trigger, evaluation.actor) == ("form", "ada")
    assert commit is not None
    assert (commit.subject, commit.author) == ("First report", "Ada")
    assert bell.runs == [run.id]
    assert bell.evaluations == []


def test_a_branch_means_its_newest_commit(ask, repository):
    ask()
    newest = repository.commit("Second thoughts")
    assert ask().commit_sha == newest
    assert ask(revision="main").commit_sha == newest


def test_a_commit_that_was_pushed_just_now_is_found(ask, repository):
    ask()
    repository.git("checkout", "--quiet", "-b", "topic")
    sha = repository.commit("On a branch")
    run = ask(revision=sha)
    assert (run.commit_sha, run.branch) == (sha, None)
    assert ask(revision="topic").branch == "topic"
    assert ask(revision=sha[:10], branch="topic").branch == "topic"


def test_a_known_commit_needs_no_repository(ask, repository):
    sha = ask().commit_sha
    repository.path.rename(repository.path.with_name("gone"))
    assert ask(revision=sha).commit_sha == sha
    with pytest.raises(RepositoryUnreachableError):
        ask(revision="main")


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"project": "wether"}, NotFoundError, "'weather'"),
        ({"report": "dayly"}, NotFoundError, "'daily'"),
        ({"revision": "no-such"}, UnknownRevisionError, "main"),
        ({"revision": "0" * 40}, UnknownRevisionError, "0000"),
        ({"revision": "--upload-pack=touch x"}, InvalidRevisionError, "upload-pack"),
        ({"revision": "main", "branch": "-x"}, InvalidRevisionError, "-x"),
        ({"params": {"day": "2014-01-01"}}, ParameterError, "2013-12-31"),
        ({"params": {"dya": "2013-01-01"}}, ParameterError, "'day'"),
        ({"params": {"x=1;import os;#": "1"}}, ParameterError, "not a parameter"),
        ({"params": {"limit": "many", "day": ""}}, ParameterError, "limit"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(
    ask, installation, bell, changes, error, text
):
    with pytest.raises(error, match=text):
        ask(**changes)
    assert rows(installation) == {}
    assert bell.runs == []


def test_all_problems_of_the_parameters_are_told(ask):
    with pytest.raises(ParameterError) as raised:
        ask(params={"limit": "many", "day": "", "station": "west"})
    assert {problem.name for problem in raised.value.problems} == {"limit", "day", "station"}


def test_the_manifest_of_the_commit_counts(ask, repository):
    good = repository.git("rev-parse", "HEAD")
    repository.commit("Break it", provenote_toml="[reports")
    with pytest.raises(ManifestError):
        ask()
    assert ask(revision=good).commit_sha == good


def test_a_run_can_be_asked_for_again(ask, installation, repository, bell):
    old = ask(params={"day": "2013-02-28"})
    repository.commit("Later")
    with installation.ledger.reading() as session:
        old = whole_run(session, old.id)
    new = accept_again(installation, old, True, ADA, bell)
    assert new.id != old.id
    assert (new.params, new.commit_sha) == (old.params, old.commit_sha)
    assert (new.case_key, new.branch) == (old.case_key, "main")

    old.dirty = "f" * 64
    with pytest.raises(DirtyRunError):
        accept_again(installation, old, True, ADA, bell)


def test_several_values_become_one_evaluation_with_all_their_runs(ask, installation, project, bell):
    several = {"day": ["2013-02-01 .. 2013-02-03"], "station": ["north", "south"]}
    wanted = RunRequest("weather", "daily", {"limit": "7"}, force=True, several=several)
    runs = accept_runs(installation, wanted, ADA, bell)
    assert [(run.params["day"], run.params["station"]) for run in runs] == [
        (f"2013-02-0{day}", station) for day in (1, 2, 3) for station in ("north", "south")
    ]
    assert bell.runs == [run.id for run in runs]
    assert rows(installation)["evaluation"] == 1
    with installation.ledger.reading() as session:
        found = session.get_one(Evaluation, runs[0].evaluation_id)
        assert (found.status, found.prepared, found.force) == ("running", True, True)
        assert [run.id for run in found.runs] == [run.id for run in runs]
    assert {run.params["limit"] for run in runs} == {7}
    assert {run.status for run in runs} == {Status.QUEUED}


def test_of_many_runs_none_is_lost_where_nobody_answers_the_bell(
    installation, project, bell, monkeypatch
):
    monkeypatch.setattr(door, "_RINGING_SECONDS", 0.1)

    class Slow(Bell):
        def ring_run(self, run_id: str) -> None:
            super().ring_run(run_id)
            time.sleep(0.06)

    slow = Slow()
    wanted = RunRequest("weather", "daily", {}, several={"day": ["2013-01-01 .. 2013-01-31"]})
    runs = accept_runs(installation, wanted, ADA, slow)
    assert len(runs) == 31
    assert slow.runs == [run.id for run in runs[: len(slow.runs)]]
    assert len(slow.runs) < 31
    assert rows(installation)["run"] == 31


def test_several_values_with_a_mistake_among_them_write_nothing(installation, project, bell):
    wanted = RunRequest("weather", "daily", {}, several={"day": ["2013-02-01", "2014-01-01"]})
    with pytest.raises(ParameterError, match="2013-12-31"):
        accept_runs(installation, wanted, ADA, bell)
    assert rows(installation) == {}
    assert bell.runs == []


def test_many_requests_at_once_all_become_runs(ask, installation):
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: ask(), range(16)))
    assert len({run.id for run in runs}) == 16
    assert rows(installation) == {"case_head": 1, "commit": 1, "evaluation": 16, "run": 16}


def test_preparing_twice_writes_each_case_once(installation, project):
    commit = CommitInfo("a" * 40, "Subject", "Ada", datetime.now(UTC), None)
    evaluation = Evaluation(
        id=new_id("eval"), project_id=project.id, trigger="push", actor="ada", revision="main"
    )
    cases = [CaseToRun("daily", {"day": day}, {}, {"day": day}) for day in ("1", "2", "1")]
    with installation.ledger.writing() as session:
        session.add(evaluation)
        session.flush()
        first = prepare_runs(session, evaluation, commit, cases)
    with installation.ledger.writing() as session:
        again = prepare_runs(session, session.get_one(Evaluation, evaluation.id), commit, cases)
    assert [run.id for run in again] == [run.id for run in first]
    assert [run.params for run in first] == [{"day": "1"}, {"day": "2"}]
    assert rows(installation) == {"case_head": 2, "commit": 1, "evaluation": 1, "run": 2}


def test_the_heavy_libraries_stay_out_of_the_web(ask):
    import subprocess
    import sys

    heavy = ("papermill", "nbconvert", "nbformat", "pandas", "pyarrow", "jupytext", "celery")
    code = (
        "import sys, app.intake.hooks, app.intake.form, app.api.v1, app.web.guard;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="."
    )
    assert done.stdout.strip() == "[]"


def test_rows_name_their_project(ask, installation):
    run = ask()
    with installation.ledger.reading() as session:
        assert session.get_one(Run, run.id).project.name == "weather"
        assert session.query(Project).count() == 1
