"""Reproductions and "what if" on datasets: the very batches, whatever is current by now."""

from collections.abc import Callable

import pytest

from app.intake.again import SwapError
from tests.pipeline.shop import PROJECT, Shop
from tests.support.again import reproduce, what_if, whole
from tests.support.evaluations import Bench
from tests.support.repository import Repository


@pytest.fixture
def shop(evaluate: Bench, git_project: Callable[..., Repository]) -> Shop:
    return Shop(evaluate, git_project(PROJECT, name="shop"))


@pytest.mark.parametrize("report", ["first", "counted"])
def test_the_batch_is_the_one_that_was_read_though_the_pointer_moved(
    shop: Shop, report: str
) -> None:
    old = shop.bring("2 pears")
    run = shop.ask(report)
    shop.bring("30 pears")
    found = reproduce(shop.bench, run.row.id)
    assert found.answer == "identical", found.sentence
    pinned = (whole(shop.bench, str(found.again)).data or {})["batches"]
    assert pinned == {"sold_items/2013-01-31": old.id}


def test_a_pattern_means_the_partitions_of_that_time(shop: Shop) -> None:
    shop.bring("2 pears")
    run = shop.ask("all")
    shop.bring("9 plums", "2013-02-01")
    assert reproduce(shop.bench, run.row.id).answer == "identical"


def test_a_batch_whose_content_is_lost_cannot_be_read_again(shop: Shop) -> None:
    batch = shop.bring("2 pears")
    run = shop.ask("first")
    shop.bench.installation.store.path(batch.sha256).unlink()
    found = reproduce(shop.bench, run.row.id)
    assert (found.answer, batch.sha256 in found.sentence) == ("cannot", True)


def test_a_reproduction_publishes_nothing(shop: Shop) -> None:
    shop.push()
    run = shop.ask("close")
    before = (shop.batches, shop.moves)
    assert reproduce(shop.bench, run.row.id).answer == "identical"
    assert (shop.batches, shop.moves) == before


def test_what_if_it_were_another_batch(shop: Shop) -> None:
    shop.bring("2 pears")
    other = shop.bring("30 pears")
    shop.bring("4 pears")
    run = shop.ask("first")
    for name, batch in (("sold_items/2013-01-31", "2"), (other.id, other.id)):
        told = what_if(shop.bench, run.row.id, data={name: batch})
        assert "once 30 pears" in told.printed
    assert told.statuses == {"report": "reused"}
    shop.bring("1 pear", "2013-02-01")
    with pytest.raises(SwapError, match="does not stand on sold_items/2013-02-01") as refused:
        what_if(shop.bench, run.row.id, data={"sold_items/2013-02-01": "1"})
    assert refused.value.hint.startswith("It stands on sold_items/2013-01-31.")


def test_what_if_it_were_the_data_of_another_moment(shop: Shop) -> None:
    shop.bring("2 pears")
    early = shop.ask("first")
    shop.bring("3 pears")
    late = shop.ask("first")
    told = what_if(shop.bench, late.row.id, as_of=early.row.finished_at)
    assert "once 2 pears" in told.printed
    assert told.row.reused_from == early.row.id


def test_with_other_code_the_data_stays_what_it_was(shop: Shop) -> None:
    shop.bring("2 pears")
    run = shop.ask("counted")
    shop.bring("2000 pears")
    sha = shop.repository.commit(
        {"stages/count.py": "def build(sold):\n    return sold.read_text().upper()\n"}
    )
    told = what_if(shop.bench, run.row.id, code=sha)
    assert told.printed.strip() == "2 PEARS"
    assert told.jobs["count"].reason == "code"
