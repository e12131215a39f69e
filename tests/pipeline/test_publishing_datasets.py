"""Stages publish batches: once for each result, and never over what came later."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from pipeline.asked import DataWanted
from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts
from pipeline.runner.client import Runner
from provenance.ledger.queries.latest import Wanted, newest_run
from tests.pipeline.shop import MANIFEST, PROJECT, SOLD, Shop
from tests.support.evaluations import Bench, in_thread
from tests.support.repository import Repository
from tests.support.waiting import wait_for

APPLES, PLUMS = "2013-01-31: 3 apples", "2013-01-31: 3 plums"


@pytest.fixture
def shop(evaluate: Bench, git_project: Callable[..., Repository]) -> Shop:
    return Shop(evaluate, git_project(PROJECT, name="shop"))


def plums(shop: Shop) -> None:
    shop.repository.commit({"stages/sold.py": SOLD.replace("apples", "plums")})


def test_what_a_stage_made_becomes_the_current_batch(shop: Shop) -> None:
    run = shop.push().run
    assert shop.batches == [("sold_items", "2013-01-31", APPLES)]
    assert shop.moves == [("publish", 1)]
    assert run.jobs["sold"].sentence.endswith("; published sold_items/2013-01-31 batch 1")
    assert "published sold_items/2013-01-31 batch 1" in run.log
    assert "once 2013-01-31: 3 apples" in shop.ask("first").printed


def test_a_result_that_is_reused_is_not_published_twice(shop: Shop) -> None:
    shop.push()
    again = shop.ask("close")
    assert again.statuses == {"sold": "reused", "report": "reused"}
    assert "publish" not in again.jobs["sold"].sentence
    assert shop.moves == [("publish", 1)]
    forced = shop.ask("close", force=True)
    assert "batch 1 is current and has the same content" in forced.jobs["sold"].sentence
    assert shop.moves == [("publish", 1)]


def test_publishing_is_no_part_of_the_key(shop: Shop) -> None:
    whole = MANIFEST
    shop.repository.commit({"provenote.toml": whole.replace("publish =", "# publish =")})
    shop.push()
    assert shop.batches == []
    shop.repository.commit({"provenote.toml": whole})
    run = shop.push().run
    assert run.statuses["sold"] == "reused"
    assert shop.moves == [("publish", 1)]


def test_what_was_rolled_back_does_not_return_by_itself(shop: Shop) -> None:
    shop.bring("2 pears")
    shop.push()
    shop.roll_back()
    again = shop.ask("close")
    assert again.statuses["sold"] == "reused"
    assert "grace rolled it back" in again.jobs["sold"].sentence
    assert "(wrong prices)" in again.jobs["sold"].sentence
    assert "grace rolled it back" in shop.ask("close", force=True).jobs["sold"].sentence
    assert shop.moves == [("publish", 1), ("publish", 2), ("rollback", 1)]


def test_reverting_a_commit_brings_its_batch_back(shop: Shop) -> None:
    shop.push()
    plums(shop)
    shop.push()
    shop.repository.commit({"stages/sold.py": SOLD})
    run = shop.push().run
    assert run.statuses["sold"] == "reused"
    assert shop.moves == [("publish", 1), ("publish", 2), ("publish", 1)]


def test_an_old_commit_does_not_undo_a_newer_one(shop: Shop) -> None:
    shop.push()
    old = shop.repository.head
    time.sleep(1.1)  # git tells commits apart by the second
    plums(shop)
    shop.push()
    run = shop.ask("close", revision=old, branch="main")
    assert run.statuses["sold"] == "reused"
    assert "batch 2 of a newer commit is current" in run.jobs["sold"].sentence
    assert shop.moves == [("publish", 1), ("publish", 2)]


def test_what_somebody_brought_since_is_not_replaced_by_an_old_result(shop: Shop) -> None:
    shop.push()
    shop.bring("2 pears")
    run = shop.ask("close")
    assert "it was published before, and something else is current" in run.jobs["sold"].sentence
    assert shop.moves == [("publish", 1), ("publish", 2)]


def test_only_the_default_branch_publishes(shop: Shop) -> None:
    shop.repository.git("switch", "--quiet", "--create", "try")
    plums(shop)
    run = shop.push("try").run
    sentence = run.jobs["sold"].sentence
    assert "sold_items/2013-01-31 batch 1 is kept unpublished: only runs of main" in sentence
    assert shop.batches == [("sold_items", "2013-01-31", PLUMS)]
    assert shop.moves == []


def test_what_a_branch_made_is_published_when_it_is_merged(shop: Shop) -> None:
    shop.repository.git("switch", "--quiet", "--create", "try")
    plums(shop)
    shop.push("try")
    shop.repository.git("switch", "--quiet", "main")
    shop.repository.git("merge", "--quiet", "try")
    assert shop.push().run.statuses["sold"] == "reused"
    assert shop.batches == [("sold_items", "2013-01-31", PLUMS)]
    assert shop.moves == [("publish", 1)]


def test_a_run_of_other_data_publishes_nothing(shop: Shop) -> None:
    batch = shop.bring("2 pears", "2013-02-28")
    pinned = DataWanted(batches={"sold_items/2013-02-28": batch.id})
    sentence = shop.ask("close", pinned).jobs["sold"].sentence
    assert "the run read other data than the current" in sentence
    assert shop.moves == [("publish", 1)]


def test_a_stage_whose_check_fails_publishes_nothing(shop: Shop) -> None:
    body = f"import provenote\n{SOLD}".replace(
        "    return", "    provenote.check(False, 'prices are there')\n    return"
    )
    shop.repository.commit({"stages/sold.py": body})
    run = shop.push().run
    assert run.verdict == "failed"
    assert "a check of its own failed" in run.jobs["sold"].sentence
    assert shop.moves == []


def test_a_pointer_that_somebody_moved_meanwhile_stays_where_it_is(
    shop: Shop, tmp_path: Path
) -> None:
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    waiting = (
        "import os, time\ndef build(date):\n"
        f"    open({str(begun)!r}, 'w').close()\n"
        f"    while not os.path.exists({str(gate)!r}): time.sleep(0.02)\n"
        "    return 'late'\n"
    )
    shop.repository.commit({"stages/sold.py": waiting})
    with in_thread(shop.push) as answers:
        wait_for(begun.exists, "the stage to begin", 60)
        shop.bring("2 pears")
        gate.touch()
    sentence = answers[0].run.jobs["sold"].sentence
    assert "kept unpublished: grace moved the pointer meanwhile (publish at" in sentence
    assert shop.moves == [("publish", 1)]
    assert [content for *_, content in shop.batches] == ["2 pears", "late"]


def test_an_output_that_the_stage_did_not_leave_is_named(shop: Shop) -> None:
    named = MANIFEST.replace('"{date}" }', '"{date}", output = "table" }', 1)
    shop.repository.commit({"provenote.toml": named})
    run = shop.push().run
    assert (run.verdict, run.error["kind"], run.error["stage"]) == ("error", "publish", "sold")
    assert "left no output 'table'; it left: output." in run.error["message"]


def test_of_two_runs_at_once_one_publishes(
    installation: Callable[..., Installation],
    database_url: str,
    runner_pair: list[Runner],
    hosts: KernelHosts,
    default_environment: Path,
    git_project: Callable[..., Repository],
) -> None:
    bench = Bench(installation(url=database_url), runner_pair[0], hosts)
    shop = Shop(bench, git_project(PROJECT, name="shop"))
    ids = [bench.ask(shop.repository, "close") for _ in range(2)]
    with in_thread(bench.execute, ids[0], runner_pair[0]) as answers:
        second = bench.execute(ids[1], runner_pair[1])
    sentences = [run.jobs["sold"].sentence for run in (answers[0], second)]
    assert sorted("published" in sentence for sentence in sentences) == [False, True]
    assert shop.batches == [("sold_items", "2013-01-31", APPLES)]
    assert shop.moves == [("publish", 1)]


def test_as_of_runs_are_not_the_latest(shop: Shop) -> None:
    shop.push()
    usual = shop.ask("first")
    shop.ask("first", DataWanted(as_of=datetime.now(UTC)))
    project = shop.bench.project(shop.repository)
    with shop.bench.installation.ledger.reading() as session:
        assert newest_run(session, project, "first", Wanted()).id == usual.row.id


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_moves_the_pointer_at_the_last_moment_wins(
    installation: Callable[..., Installation],
    database_url: str,
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
    git_project: Callable[..., Repository],
) -> None:
    bench = Bench(installation(url=database_url), runner, hosts)
    shop = Shop(bench, git_project(PROJECT, name="shop"))
    shop.bring("2 pears")
    shop.bring("3 pears")
    engine, moved = bench.installation.ledger.engine, []

    def interfere(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        # Between the look at the pointer and its move, as only another process could.
        if statement.startswith("UPDATE pointer") and not moved:
            moved.append(statement)
            shop.roll_back()

    event.listen(engine, "before_cursor_execute", interfere)
    sentence = shop.push().run.jobs["sold"].sentence
    assert moved
    assert "kept unpublished: grace moved the pointer meanwhile (rollback at" in sentence
    assert shop.moves == [("publish", 1), ("publish", 2), ("rollback", 1)]
