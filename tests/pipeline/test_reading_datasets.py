"""Reports and stages read batches: resolved once, recorded, and a reason to run again."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from pipeline.asked import DataWanted
from tests.pipeline.shop import PROJECT, Shop
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook


@pytest.fixture
def shop(evaluate: Bench, git_project: Callable[..., Repository]) -> Shop:
    return Shop(evaluate, git_project(PROJECT, name="shop"))


def test_a_report_reads_the_current_batch_and_says_which_it_was(shop: Shop) -> None:
    shop.bring("2 pears")
    batch = shop.bring("3 pears")
    run = shop.ask("first")
    assert (run.verdict, "once 3 pears" in run.printed) == ("passed", True)
    [found] = run.row.inputs
    assert (found.name, found.producer) == ("sold", "dataset:sold_items/2013-01-31")
    assert (found.batch, found.producer_key) == (batch.id, "")
    [told] = run.record["inputs"]
    expected = ("data", "sold_items", "2013-01-31", 2, batch.id)
    assert tuple(told[key] for key in ("kind", "dataset", "partition", "number", "batch")) == (
        expected
    )
    assert "from dataset:sold_items/2013-01-31 batch 2" in run.html


def test_a_new_batch_runs_the_report_again_and_is_named_in_the_reason(shop: Shop) -> None:
    shop.bring("2 pears")
    shop.ask("first")
    assert shop.ask("first").statuses == {"report": "reused"}
    shop.bring("3 pears")
    again = shop.ask("first")
    job = again.jobs["report"]
    assert (job.status, job.reason) == ("executed", "inputs")
    assert job.sentence == "inputs: sold changed; sold is sold_items/2013-01-31 batch 2, was 1"


def test_the_same_content_in_a_new_batch_is_no_reason(shop: Shop) -> None:
    shop.bring("2 pears")
    shop.ask("first")
    batch = shop.bring("2 pears")
    again = shop.ask("first")
    assert again.statuses == {"report": "reused"}
    assert [found.batch for found in again.row.inputs] == [batch.id]


def test_three_reports_on_a_bad_batch_find_their_old_results_after_its_rollback(
    shop: Shop,
) -> None:
    reports = ("first", "second", "counted")
    shop.bring("2 pears")
    good = {name: shop.ask(name) for name in reports}
    shop.bring("-1 pears")
    bad = {name: shop.ask(name) for name in reports}
    assert all(set(run.statuses.values()) == {"executed"} for run in bad.values())
    shop.roll_back()
    for name in reports:
        run = shop.ask(name)
        assert set(run.statuses.values()) == {"reused"}
        assert (run.row.html, run.row.key) == (good[name].row.html, good[name].row.key)


def test_a_run_as_of_a_moment_reads_what_was_current_then(shop: Shop) -> None:
    shop.bring("2 pears")
    then = datetime.now(UTC)
    shop.bring("3 pears")
    run = shop.ask("first", DataWanted(as_of=then))
    assert "once 2 pears" in run.printed
    assert run.row.data == {"as_of": then.isoformat()}
    assert "Datasets were read as of" in run.html
    assert f"--as-of {then.isoformat()}" in run.html
    before = shop.ask("first", DataWanted(as_of=datetime(2013, 1, 1, tzinfo=UTC)))
    assert (before.verdict, before.error["kind"]) == ("error", "nothing_yet")
    assert "sold_items/2013-01-31 had nothing yet at 2013-01-01" in before.error["message"]


def test_a_pinned_batch_is_read_in_place_of_the_current_one(shop: Shop) -> None:
    old = shop.bring("2 pears")
    shop.bring("3 pears")
    pinned = DataWanted(batches={"sold_items/2013-01-31": old.id})
    assert "once 2 pears" in shop.ask("first", pinned).printed


def test_a_dataset_that_is_not_there_is_an_error_that_names_the_nearest(shop: Shop) -> None:
    shop.bring("2 pears")
    manifest = PROJECT["provenote.toml"].replace('"sold_items"', '"sold_item"')
    shop.repository.commit({"provenote.toml": manifest})
    run = shop.ask("first")
    assert (run.verdict, run.error["kind"]) == ("error", "unknown_dataset")
    assert "Did you mean 'sold_items'?" in run.error["hint"]


def test_the_parameters_of_the_run_name_the_partition(shop: Shop) -> None:
    shop.bring("1 fig", "2013-02-28")
    run = shop.ask("counted", params={"date": "2013-02-28"})
    assert run.printed == "5\n"
    assert run.row.params == {"date": "2013-02-28"}


def test_a_pattern_gives_the_current_batch_of_every_partition_that_fits(shop: Shop) -> None:
    for day in ("2012-12-31", "2013-01-31", "2013-02-28"):
        shop.bring(f"on {day}", day)
    run = shop.ask("all")
    assert run.printed.strip() == str({d: f"on {d}" for d in ("2013-01-31", "2013-02-28")})
    assert [found.name for found in run.row.inputs] == ["sold.2013-01-31", "sold.2013-02-28"]
    shop.bring("corrected", "2013-02-28")
    sentence = shop.ask("all").jobs["report"].sentence
    assert sentence.endswith("sold.2013-02-28 is sold_items/2013-02-28 batch 2, was 1")


def test_a_published_batch_lies_beside_its_sidecar(shop: Shop) -> None:
    shop.push()
    cell = (
        "import glob, json\n"
        "print(json.dumps([json.load(open(f)) for f in glob.glob('inputs/*.prov.json')]))"
    )
    look = notebook("# Look", "sold = ''\nword = ''", cell)
    shop.repository.commit({"reports/read.ipynb": look})
    [sidecar] = json.loads(shop.ask("first").printed)
    assert (sidecar["kind"], sidecar["name"]) == ("python", "sold")
    assert sidecar["output"]["name"] == "output"
