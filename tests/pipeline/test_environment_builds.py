"""Builds as they happen: each kind of file, what is said, what is kept of it, what is known."""

import io
import subprocess
import sysconfig
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.environment_builder import MAX_LOG_BYTES, BuildLog, Supervision
from pipeline.environment_locks import PYTHON
from pipeline.environment_prepared import known_environment
from pipeline.environments import (
    BUILD,
    EnvironmentBuildError,
    Lock,
    build_of,
    environment_for,
    folder_of,
    lock_of,
    place_of,
)
from pipeline.evaluate import evaluate_run
from pipeline.installation import Installation
from pipeline.repository.tree import MemoryTree
from pipeline.runner.client import Event
from provenance.gc import Collector, Keep
from provenance.ledger.engine import Ledger
from provenance.ledger.environment_tables import EnvironmentBuild, EnvironmentRow
from provenance.ledger.environments import NewBuild, begin_build
from provenance.ledger.tables import Run, RunEvent
from tests.pipeline.test_environment_locks import PROJECT
from tests.support.evaluations import Bench
from tests.support.repository import Files, Repository
from tests.support.waiting import wait_for

UNKNOWN = b"no-such-package-of-tides==7\n"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A project's file with its lock, as uv makes it."""
    folder = tmp_path_factory.mktemp("locked")
    (folder / "pyproject.toml").write_bytes(PROJECT)
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    subprocess.run([uv, "lock", "--quiet"], cwd=folder, check=True)
    return {name: (folder / name).read_bytes() for name in ("pyproject.toml", "uv.lock")}


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml", "uv.lock"])
def test_each_kind_of_file_becomes_an_environment(
    environments: Path, locked: dict[str, bytes], name: str
) -> None:
    tree = MemoryTree({**locked, "requirements.txt": b"six==1.16.0  # of no other test\n"})
    said: list[str] = []
    lock = lock_of(tree, name)
    found = environment_for(environments, lock, Supervision(hear=said.append))
    versions = {one.name: one.version for one in found.facts.distributions}
    assert versions["six"] == "1.16.0"
    assert {"ipykernel", "attrs"} & set(versions) == {"ipykernel"}, "no group is installed"
    log = found.root.with_name(f"{found.root.name}.log").read_text()
    assert log == "".join(said), "what is heard is what is kept"
    assert len(said) > 3, "and it is heard bit by bit"
    assert f"An environment of Python {PYTHON}, from {name}" in log
    assert " + six==1.16.0\n" in log
    build = build_of(found.root)
    assert build is not None
    assert build.source == name
    assert build.seconds > 0
    assert build.size > 1_000_000


def test_whoever_waits_for_anothers_build_hears_it_too(tmp_path: Path) -> None:
    home, lock = tmp_path / "environments", Lock("requirements.txt", (("requirements.txt", b""),))
    said: dict[str, list[str]] = {"first": [], "second": []}

    def build(name: str) -> None:
        environment_for(home, lock, Supervision(hear=said[name].append))

    first, second = (threading.Thread(target=build, args=(name,)) for name in said)
    first.start()
    wait_for(lambda: said["first"], "the build to begin")
    second.start()
    for thread in (first, second):
        thread.join(120)
    heard = "".join(said["second"])
    assert heard.startswith("── Somebody else builds it already, and says:\n── An environment of")
    assert heard.count("Somebody else") == 1
    assert heard.partition("says:\n")[2] in "".join(said["first"])


def test_what_reaches_an_index_stays_out_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://ada:s3cret-word@index.example.org/simple")
    monkeypatch.setenv("UV_PUBLISH_TOKEN", "t0ken-of-ada")
    file, heard = io.BytesIO(), []
    log = BuildLog(file, heard.append)
    log.say("from https://ada:s3cret-word@index.example.org/simple\n")
    log.say("with s3cret-word and t0ken-of-ada, at https://bob:other@example.org\n")
    told = file.getvalue().decode()
    assert told == "".join(heard)
    for secret in ("s3cret-word", "t0ken-of-ada", "bob:other"):
        assert secret not in told
    assert "index.example.org/simple" in told


def test_a_log_has_a_limit_and_says_so() -> None:
    file, heard = io.BytesIO(), []
    log = BuildLog(file, heard.append)
    for _ in range(MAX_LOG_BYTES // 1_000_000 + 3):
        log.say("x" * 999_999 + "\n")
    assert len(file.getvalue()) < MAX_LOG_BYTES + 100
    assert file.getvalue().endswith(b"More was said than a log may hold.\n")


def builds(ledger: Ledger, key: str) -> list[EnvironmentBuild]:
    with ledger.reading() as session:
        row = session.get(EnvironmentRow, key)
        return list(row.builds) if row else []


def test_the_ledger_knows_each_build_and_what_became_of_it(
    installation: Callable[..., Installation], environments: Path
) -> None:
    made = installation()
    lock = lock_of(MemoryTree({"requirements.txt": b"six==1.16.0\n"}), "requirements.txt")
    environment_for(environments, lock)  # it may be older than this ledger
    known_environment(made, lock)
    (build,) = builds(made.ledger, lock.key)
    assert (build.state, build.run_id) == ("ready", None)
    assert b"six==1.16.0" in made.store.read(build.log or "")
    with made.ledger.reading() as session:
        row = session.get_one(EnvironmentRow, lock.key)
        assert row.packages is not None
        assert row.packages["six"] == "1.16.0"
        assert (row.source, row.python) == ("requirements.txt", PYTHON)
    known_environment(made, lock)
    assert len(builds(made.ledger, lock.key)) == 1


def test_several_that_learn_of_a_build_at_once_write_it_down_once(
    installation: Callable[..., Installation], environments: Path
) -> None:
    lock = lock_of(MemoryTree({"requirements.txt": b"six==1.16.0\n"}), "requirements.txt")
    found = environment_for(environments, lock)
    build = build_of(found.root)
    assert build is not None
    made = installation()
    told = NewBuild(build.id, lock.key, lock.name, PYTHON, build.platform, build.host)
    for _ in range(2):
        with made.ledger.writing() as session:
            begin_build(session, told, build.at(), None)
    known_environment(made, lock)
    assert [one.id for one in builds(made.ledger, lock.key)] == [build.id]


def test_one_from_before_builds_were_told_is_known_too(
    installation: Callable[..., Installation], environments: Path
) -> None:
    lock = lock_of(MemoryTree({"requirements.txt": b"six==1.16.0\n"}), "requirements.txt")
    found = environment_for(environments, lock)
    (found.root / BUILD).unlink()
    made = installation()
    known_environment(made, lock)
    (build,) = builds(made.ledger, lock.key)
    assert (build.state, build.seconds) == ("ready", None)
    assert build.size is not None
    assert build_of(found.root) is not None


def test_one_that_was_cleared_away_is_built_again_and_both_builds_are_known(
    installation: Callable[..., Installation],
) -> None:
    made = installation()
    made.environments.unlink()  # the folder that tests share is nobody's to clear
    lock = Lock("requirements.txt", (("requirements.txt", b"# none\n"),))
    environment = known_environment(made, lock)
    places = (place_of(made.environments, days=0),)
    keep = Keep(grace=0, days=0, places=places)
    assert Collector(made.store, made.ledger, keep).clear().totals().get("environment") is None
    assert environment.root.is_dir(), "whoever uses it holds it"
    root = environment.root
    del environment
    cleared = Collector(made.store, made.ledger, keep).clear()
    assert cleared.totals()["environment"][0] == 1
    assert not root.exists()
    assert list(made.environments.iterdir()) == []
    assert [one.state for one in builds(made.ledger, lock.key)] == ["collected"]
    known_environment(made, lock)
    assert [one.state for one in builds(made.ledger, lock.key)] == ["ready", "collected"]


def test_a_build_that_fails_is_a_result_with_words_and_a_log(
    evaluate: Bench, git_project: Callable[..., Repository]
) -> None:
    manifest = (
        '[project]\nname = "tides"\n[environment]\nfrom = "requirements.txt"\n'
        '[reports.one]\ntemplate = "one.py"\non = ["push"]\n'
    )
    files: Files = {
        "provenote.toml": manifest,
        "one.py": "# %%\nprint('never')\n",
        "requirements.txt": UNKNOWN.decode(),
    }
    run = evaluate(git_project(files)).run
    assert run.verdict == "error"
    assert run.error["kind"] == "environment"
    first, second, *_ = run.error["message"].splitlines()
    assert first == "The environment cannot be built from requirements.txt."
    assert second.startswith("error: "), "what came before is in the log"
    assert "no-such-package-of-tides" in run.error["message"]
    assert f"/environments/{run.row.environment}" in run.error["hint"]
    assert "UV_DEFAULT_INDEX" in run.error["hint"]
    ledger = evaluate.installation.ledger
    (build,) = builds(ledger, run.row.environment or "")
    assert (build.state, build.run_id, build.size) == ("failed", run.row.id, None)
    assert build.error is not None
    assert "no-such-package-of-tides" in build.error["message"]
    log = evaluate.installation.store.read(build.log or "").decode()
    assert "It came to nothing" in log
    assert log in run.log, "the run's own log has it too"
    assert not folder_of(evaluate.installation.environments, run.row.environment or "").exists()


def test_a_build_that_was_killed_is_told_as_such_with_what_it_had_said(
    installation: Callable[..., Installation],
) -> None:
    made = installation()
    made.environments.unlink()
    lock = Lock("requirements.txt", (("requirements.txt", b"# nothing more\n"),))

    def killed() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        known_environment(made, lock, Supervision(check=killed))
    (build,) = builds(made.ledger, lock.key)
    assert build.state == "interrupted"
    assert b"An environment of Python" in made.store.read(build.log or "")


def test_a_build_that_left_nothing_but_its_folder_goes_after_the_grace(
    installation: Callable[..., Installation],
) -> None:
    made = installation()
    made.environments.unlink()
    half = made.environments / ("a" * 24)
    half.mkdir(parents=True)
    (half / "pyvenv.cfg").write_text("home = /nowhere\n")
    half.with_name(f"{half.name}.log").write_text("── begun\n")
    keep = Keep(grace=0, places=(place_of(made.environments),))
    assert Collector(made.store, made.ledger, Keep(places=keep.places)).clear().garbage == []
    (gone,) = Collector(made.store, made.ledger, keep).clear().garbage
    assert (gone.kind, gone.why) == ("environment", "it was never finished")
    assert not half.exists()


@pytest.mark.parametrize("told", ["", "[]", "{", '{"id": 7}'])
def test_a_build_that_does_not_tell_of_itself_is_no_trouble(tmp_path: Path, told: str) -> None:
    assert build_of(tmp_path) is None
    (tmp_path / BUILD).write_text(told)
    assert build_of(tmp_path) is None


def test_an_environment_that_cannot_be_built_says_which_python_there_is(tmp_path: Path) -> None:
    # It has wheels alone, and none for a Python after 3.9.
    lock = Lock("requirements.txt", (("requirements.txt", b"torch==1.8.0\n"),))
    with pytest.raises(EnvironmentBuildError) as caught:
        environment_for(tmp_path, lock)
    assert PYTHON in caught.value.hint


def test_what_is_said_during_a_build_is_in_the_ledger_while_it_goes_on(
    evaluate: Bench, git_project: Callable[..., Repository]
) -> None:
    manifest = (
        '[project]\nname = "tides"\n[environment]\nfrom = "requirements.txt"\n'
        '[reports.one]\ntemplate = "one.py"\n'
    )
    once = f"# of this test alone: {uuid.uuid4()}\n"
    files: Files = {
        "provenote.toml": manifest,
        "one.py": "# %%\nx = 1\n",
        "requirements.txt": once,
    }
    run_id = evaluate.ask(git_project(files), "one")
    shown: list[str] = []

    def listener(event: Event) -> None:
        if event["event"] == "log" and "── Ready" in event["text"]:
            with evaluate.installation.ledger.reading() as session:
                rows = session.scalars(select(RunEvent).where(RunEvent.run_id == run_id))
                shown.extend(row.payload["text"] for row in rows if row.kind == "log")
                assert in_state(session.get_one(Run, run_id).environment) == "building"

    def in_state(key: str | None) -> str:
        return builds(evaluate.installation.ledger, key or "")[0].state

    worker = replace(evaluate.worker(), listener=listener)
    evaluate_run(evaluate.claim(Run, run_id), worker)
    run = evaluate.run(run_id)
    assert run.verdict == "passed", run.row.error
    assert "── An environment of Python" in "".join(shown)
    assert run.log.startswith("── environment\n── An environment of Python")
    assert in_state(run.row.environment) == "ready"
