"""Whole evaluations: from a commit to a page, in real checkouts with real kernels."""

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.cancelling import cancel_all
from pipeline.evaluate import prepare_evaluation
from provenance.ledger.states import Status
from provenance.ledger.tables import Evaluation, Run, RunEvent
from tests.pipeline.weather import CELL, MANIFEST, PROJECT, single
from tests.support.evaluations import Bench, Told
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]


@pytest.fixture
def repository(git_project: MakeRepository) -> Repository:
    return git_project(PROJECT)


def count(evaluate: Bench, table: type) -> int:
    with evaluate.installation.ledger.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_push_becomes_a_page_that_says_how_it_came_to_be(
    evaluate: Bench, repository: Repository
) -> None:
    done = evaluate(repository)
    assert (done.row.status, done.verdict, done.row.prepared) == (Status.FINISHED, "passed", True)
    run = done.run
    assert (run.row.status, run.verdict, run.row.error) == (Status.FINISHED, "passed", None)
    assert run.statuses == {"table": "executed", "total": "executed", "report": "executed"}
    assert {job.reason for job in run.row.jobs} == {"new"}
    assert not run.row.reused
    assert run.metrics == {"words": 5.0}
    assert run.checks == {"there are words": True}
    assert [(one.name, one.producer) for one in run.row.inputs] == [("total", "total")]
    assert (run.row.cells_done, run.row.cells_total, run.row.doing) == (4, 4, None)
    assert 0 < (run.row.seconds or 0) < 60
    assert (run.row.owner, run.row.lease_until) == (None, None)
    for shown in ("Daily words", "finished: 2013-01-31", repository.head[:10], "there are words"):
        assert shown in run.html
    assert f"--commit {repository.head}" in run.html
    assert "building the table" in run.log
    assert "stage total · executed" in run.log
    assert count(evaluate, RunEvent) == 0
    assert list(evaluate.installation.work.iterdir()) == []


def test_parameters_reach_template_and_stages_in_their_types(
    evaluate: Bench, repository: Repository
) -> None:
    run = evaluate(repository).run
    # The template's cell of parameters has no tag, and still does not undo what is given.
    assert "finished: 2013-01-31 str 1.0 float 5" in run.printed
    table = run.jobs["table"].record
    stage = json.loads(evaluate.installation.store.read(str(table)))
    output = evaluate.installation.store.read(stage["outputs"][0]["sha256"])
    assert output == b"datetime.date(2013, 1, 31) sun rain"
    assert stage["params"]["day"] == {"type": "date", "value": "2013-01-31", "origin": "default"}


def test_a_record_tells_of_code_inputs_params_and_environment(
    evaluate: Bench, repository: Repository
) -> None:
    run = evaluate(repository).run
    record = run.record
    assert (record["kind"], record["name"], record["key"]) == ("report", "daily", run.row.key)
    assert record["run"]["id"] == run.row.id
    assert record["code"]["commit"] == repository.head
    assert record["code"]["template"] == "reports/daily.ipynb"
    assert record["code"]["dirty"] is None
    (told,) = record["inputs"]
    assert (told["name"], told["producer"]) == ("total", "total")
    assert told["producer_key"] == run.jobs["total"].key
    assert set(record["params"]) == {"day", "level"}
    assert record["environment"]["packages"]["ipykernel"]
    assert {output["name"] for output in record["outputs"]} == {"notebook", "html"}
    stage = json.loads(evaluate.installation.store.read(str(run.jobs["table"].record)))
    assert {file["path"] for file in stage["code"]["files"]} == {
        "stages/__init__.py",
        "stages/helper.py",
        "stages/table.py",
    }
    # What is executed twice gives the same notebook but for its times.
    assert str(evaluate.installation.home) not in json.dumps(run.notebook)


def test_editing_only_comments_and_prose_reuses_everything(
    evaluate: Bench, repository: Repository
) -> None:
    first = evaluate(repository)
    files = {
        "README.md": "Other words\n",
        "stages/helper.py": '# What the sky does.\n\nWORDS   =   "sun rain"  # words\n',
    }
    repository.commit(files)
    second = evaluate(repository, before=first.row.commit_sha)
    run = second.run
    assert set(run.statuses.values()) == {"reused"}
    assert run.verdict == "passed"
    assert run.row.reused
    assert run.row.reused_from == first.run.row.id
    assert run.row.html == first.run.row.html
    assert run.row.key == first.run.row.key
    assert (run.metrics, run.checks) == (first.run.metrics, first.run.checks)
    assert all(job.sentence.startswith("unchanged since 2") for job in run.row.jobs)
    assert all(job.reason is None for job in run.row.jobs)


def test_editing_a_helper_reruns_what_stands_on_it_and_names_the_file(
    evaluate: Bench, repository: Repository
) -> None:
    first = evaluate(repository).run
    repository.commit({"stages/helper.py": 'WORDS = "sun rain snow"\n'})
    run = evaluate(repository).run
    assert set(run.statuses.values()) == {"executed"}
    assert run.jobs["table"].reason == "code"
    assert run.jobs["table"].sentence == "code: stages/helper.py changed"
    assert (run.jobs["total"].reason, run.jobs["report"].reason) == ("inputs", "inputs")
    assert "total" in run.jobs["report"].sentence
    assert run.metrics == {"words": 6.0}
    assert run.row.html != first.row.html
    # Going back to what was is no new execution.
    repository.commit({"stages/helper.py": 'WORDS = "sun rain"\n'})
    again = evaluate(repository).run
    assert set(again.statuses.values()) == {"reused"}
    assert again.row.html == first.row.html


def test_a_stage_that_gives_the_same_bytes_again_stops_the_rerun_there(
    evaluate: Bench, repository: Repository
) -> None:
    first = evaluate(repository).run
    repository.commit({"stages/helper.py": 'WORDS = "fog hail"\n'})
    run = evaluate(repository).run
    assert run.statuses == {"table": "executed", "total": "executed", "report": "reused"}
    assert run.row.html == first.row.html


def test_a_change_of_the_template_executes_no_stage(
    evaluate: Bench, repository: Repository
) -> None:
    evaluate(repository)
    changed = notebook("# Daily words", 'day = ""\nlevel = 0.5\ntotal = None', f"{CELL}print(1)")
    repository.commit({"reports/daily.ipynb": changed})
    run = evaluate(repository).run
    assert run.statuses == {"table": "reused", "total": "reused", "report": "executed"}
    assert run.jobs["report"].reason == "code"
    assert "template cell 2 changed" in run.jobs["report"].sentence


def test_other_parameters_execute_what_takes_them(evaluate: Bench, repository: Repository) -> None:
    evaluate(repository)
    run = evaluate.execute(evaluate.ask(repository, "daily", {"level": "2.5"}))
    assert run.statuses == {"table": "reused", "total": "reused", "report": "executed"}
    assert run.jobs["report"].reason == "params"
    assert "level 1.0 → 2.5" in run.jobs["report"].sentence
    assert "2.5 float" in run.printed
    assert run.row.case == {"level": 2.5}
    other = evaluate.execute(evaluate.ask(repository, "daily", {"day": "2013-02-28"}))
    assert other.jobs["table"].reason == "params"
    assert other.statuses["total"] == "executed"
    assert "finished: 2013-02-28" in other.printed


def test_what_is_forced_is_executed_afresh(evaluate: Bench, repository: Repository) -> None:
    first = evaluate(repository).run
    run = evaluate.execute(evaluate.ask(repository, "daily", force=True))
    assert set(run.statuses.values()) == {"executed"}
    assert {job.reason for job in run.row.jobs} == {"forced"}
    assert run.row.key == first.row.key
    again = evaluate.execute(evaluate.ask(repository, "daily"))
    assert set(again.statuses.values()) == {"reused"}
    assert again.row.reused_from == run.row.id, "the forced result holds from now on"


def test_identical_runs_at_once_execute_once(
    evaluate: Bench, git_project: MakeRepository, runner_pair: list
) -> None:
    slow = {"stages/table.py": "import time\n\ndef build():\n    time.sleep(0.5)\n    return 'a'\n"}
    repository = git_project(PROJECT | slow)
    ids = [evaluate.ask(repository, "daily") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        runs: list[Told] = list(pool.map(evaluate.execute, ids, runner_pair))
    assert [run.verdict for run in runs] == ["passed", "passed"]
    for stage in ("table", "total", "report"):
        assert sorted(run.statuses[stage] for run in runs) == ["executed", "reused"]
    assert runs[0].row.html == runs[1].row.html
    assert {run.row.reused for run in runs} == {True, False}


def test_each_case_is_a_run_and_the_evaluation_has_the_worst_verdict(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    template = notebook("n = 1", "import provenote; provenote.check(n < 2, 'small'); print(n)")
    files = single(template, report="cases = [{ n = 2 }, { n = 1 }]")
    done = evaluate(git_project(files))
    assert [run.row.case for run in done.runs] == [{"n": 2}, {"n": 1}]
    assert [run.verdict for run in done.runs] == ["failed", "passed"]
    assert done.verdict == "failed"


def test_only_reports_that_a_push_asks_for_are_run(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    manifest = MANIFEST.replace('on = ["push"]', "on = { push = { paths = ['stages/*'] } }")
    repository = git_project(PROJECT | {"provenote.toml": manifest}, {"README.md": "x"})
    done = evaluate(repository)
    assert (done.runs, done.verdict) == ([], "passed")
    assert done.row.error is not None
    assert done.row.error["kind"] == "nothing_asked"
    repository.commit({"stages/helper.py": 'WORDS = "a b"\n'})
    assert evaluate(repository).run.verdict == "passed"


@pytest.mark.parametrize(
    ("files", "kind", "words"),
    [
        ({"provenote.toml": "[project\n"}, "manifest", "provenote.toml"),
        ({"provenote.toml": '[project]\nname = "w"\nextra = 1\n'}, "manifest", "extra"),
        ({"provenote.toml": None}, None, "provenote.toml"),
        ({"reports/daily.ipynb": "{"}, None, "reports/daily.ipynb"),
        ({"reports/daily.ipynb": '{"a": 1}'}, None, "no nbformat"),
        ({"reports/daily.ipynb": None}, None, "reports/daily.ipynb"),
        ({"stages/total.py": None}, None, "stages/total.py"),
        ({"stages/total.py": "def other(): pass\n"}, None, "build"),
        ({"stages/total.py": "def build(:\n"}, None, "stages/total.py"),
    ],
)
def test_what_is_wrong_with_a_commit_is_told_before_anything_runs(
    evaluate: Bench,
    git_project: MakeRepository,
    files: dict[str, str | None],
    kind: str | None,
    words: str,
) -> None:
    done = evaluate(git_project(PROJECT, files))
    assert (done.row.status, done.verdict, done.runs) == (Status.FINISHED, "error", [])
    assert done.row.error is not None
    assert words in done.row.error["message"]
    assert kind in (None, done.row.error["kind"])


def test_a_template_that_is_a_link_out_of_the_project_is_refused(
    evaluate: Bench, git_project: MakeRepository, tmp_path: Path
) -> None:
    (tmp_path / "secret.ipynb").write_text(notebook("print('canary-secret')"))
    repository = git_project(PROJECT)
    (repository.path / "reports" / "daily.ipynb").unlink()
    (repository.path / "reports" / "daily.ipynb").symlink_to(tmp_path / "secret.ipynb")
    repository.commit({})
    done = evaluate(repository)
    assert (done.verdict, done.runs) == ("error", [])
    assert "reports/daily.ipynb" in str(done.row.error)


def test_a_commit_that_the_repository_does_not_have_is_told(
    evaluate: Bench, repository: Repository
) -> None:
    done = evaluate(repository, "c" * 40)
    assert (done.verdict, done.runs) == ("error", [])
    assert done.row.error is not None
    assert done.row.error["kind"] == "unknown_revision"
    assert "c" * 40 in done.row.error["message"]


def test_a_repository_that_does_not_answer_is_asked_again(
    evaluate: Bench, repository: Repository, tmp_path: Path
) -> None:
    away = repository.path.rename(tmp_path / "away")
    evaluation_id = evaluate.accept(Repository(repository.path), Repository(away).head)
    first = evaluate.carry_out(evaluation_id)
    assert first.row.status == Status.QUEUED
    assert first.row.error is not None
    assert first.row.error["kind"] == "repository_unreachable"
    away.rename(repository.path)
    second = evaluate.carry_out(evaluation_id)
    assert (second.row.error, second.verdict) == (None, "passed")
    assert second.run.verdict == "passed"


def test_runs_of_an_evaluation_that_was_cancelled_meanwhile_never_start(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    evaluation_id = evaluate.accept(git_project(PROJECT))
    claimed = evaluate.claim(Evaluation, evaluation_id)
    cancel_all(evaluate.installation.ledger, evaluation_id)
    assert prepare_evaluation(claimed, evaluate.worker()) == []
    found = evaluate.evaluation(evaluation_id)
    assert [run.verdict for run in found.runs] == ["cancelled"]
    assert (found.row.status, found.verdict) == ("finished", "cancelled")


def test_preparing_again_after_a_lost_worker_writes_no_second_run(
    evaluate: Bench, repository: Repository
) -> None:
    evaluation_id = evaluate.accept(repository)
    runs = prepare_evaluation(evaluate.claim(Evaluation, evaluation_id), evaluate.worker())
    with evaluate.installation.ledger.writing() as session:
        row = session.get_one(Evaluation, evaluation_id)
        row.status, row.prepared = Status.QUEUED, False
    again = prepare_evaluation(evaluate.claim(Evaluation, evaluation_id), evaluate.worker())
    assert again == runs
    assert count(evaluate, Run) == 1


def test_a_result_that_rots_in_the_store_is_made_anew(
    evaluate: Bench, repository: Repository
) -> None:
    first = evaluate(repository).run
    store = evaluate.installation.store
    broken = store.path(first.row.inputs[0].sha256)
    broken.chmod(0o644)
    broken.write_bytes(b"9")
    repository.commit({"reports/daily.ipynb": notebook("total = None", CELL.replace("day,", "1,"))})
    run_id = evaluate.ask(repository, "daily")
    waits = evaluate.execute(run_id)
    assert waits.row.status == Status.QUEUED
    assert waits.error["kind"] == "corrupt_object"
    run = evaluate.execute(run_id)
    assert run.jobs["total"].reason == "missing"
    assert run.metrics == {"words": 5.0}


def test_modules_of_a_project_are_its_own_whatever_they_are_called(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    theirs = 'WHOSE = "theirs"\n'
    names = ("app", "pipeline", "provenance", "papermill", "queue", "token")
    imports = "\n".join(f"import {name}; assert {name}.WHOSE == 'theirs'" for name in names[:4])
    cell = f"{imports}\nprint('all', app.WHOSE, sorted(p for p in sys.path if 'main' in p))"
    manifest = '[stages.made]\npython = "pipeline.made:build"\n'
    files = single(notebook("made = None", f"import sys\n{cell}", "print(open(made).read())"))
    files["provenote.toml"] += f"inputs = {{ made = 'made' }}\n{manifest}"
    files |= {
        "app.py": theirs,
        "pipeline/__init__.py": theirs,
        "pipeline/made.py": f"{imports}\n\ndef build():\n    return pipeline.__file__\n",
        "provenance.py": theirs,
        "papermill.py": theirs,
        "queue.py": "raise SystemExit('not the standard library')\n",
        "reports/token.py": "raise SystemExit('not the standard library')\n",
    }
    run = evaluate(git_project(files)).run
    assert run.verdict == "passed", run.row.error
    assert "all theirs []" in run.printed
    assert str(evaluate.installation.checkouts) in run.printed


def test_no_secret_of_ours_reaches_users_code_or_what_it_leaves(
    evaluate: Bench, git_project: MakeRepository, monkeypatch: pytest.MonkeyPatch, fresh_runner
) -> None:
    for name in ("PROVENOTE_SECRET_KEY", "WEATHER_URL", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "canary-secret")
    dump = "import os, sys\nprint(dict(os.environ), sys.argv)\nprint(sys.path)\n"
    files = PROJECT | {"stages/table.py": f"{dump}def build():\n    return repr(os.environ)\n"}
    files |= {"reports/daily.ipynb": notebook("# Dump", "total = None", dump)}
    repository = git_project(files)
    run = evaluate.execute(evaluate.ask(repository, "daily"), fresh_runner)
    assert run.verdict == "passed", run.row.error
    assert "PYTHONHASHSEED" in run.printed
    assert "PYTHONHASHSEED" in run.log
    kept = [path for path in evaluate.installation.home.glob("store/**/*") if path.is_file()]
    kept += list(evaluate.installation.home.glob("ledger.sqlite*"))
    assert len(kept) > 5
    for path in kept:
        assert b"canary-secret" not in path.read_bytes(), path
    assert os.environ["WEATHER_URL"] == "canary-secret"


def test_reading_the_same_thing_twice_is_quick(evaluate: Bench, repository: Repository) -> None:
    evaluate(repository)
    run_id = evaluate.ask(repository, "daily")
    started = time.monotonic()
    run = evaluate.execute(run_id)
    assert set(run.statuses.values()) == {"reused"}
    assert time.monotonic() - started < 10, "nothing is executed"
