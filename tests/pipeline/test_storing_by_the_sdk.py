"""Frames and models that code stores: published when it has succeeded, read by other reports."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from provenance.ledger.data_tables import Batch
from tests.pipeline.shop import Shop
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook

MANIFEST = """\
[project]
name = "shop"

[params.date]
type = "date"
default = "2013-01-31"

[stages.prices]
python = "stages.prices:build"
publish = { dataset = "prices", partition = "{date}" }

[reports.write]
template = "reports/write.ipynb"
inputs = { prices = "prices" }

[reports.read]
template = "reports/read.ipynb"
inputs = { sold = { dataset = "sold_items", partition = "{date}" } }

[reports.train]
template = "reports/train.ipynb"

[reports.predict]
template = "reports/predict.ipynb"
inputs = { delay = { model = "delay" } }

[reports.predict_first]
template = "reports/predict.ipynb"
inputs = { delay = { model = "delay", version = 1 } }
"""
WRITE = """\
import pandas as pd, provenote
provenote.output("seen.txt").write_text("kept")
provenote.store_dataframe(pd.DataFrame({"item": ["fig"], "sold": [2]}), "sold_items", date)
provenote.store_dataframe(pd.DataFrame({"item": ["fig"], "sold": [3]}), "sold_items", date)
"""
READ = """\
import provenote
print(provenote.load_dataframe("sold_items", date).sold.sum())
"""
TRAIN = """\
import provenote
provenote.metric("rmse", 14.5)
provenote.save_model({"slope": slope}, "delay", features=["hour"])
"""
PREDICT = """\
import provenote
print("slope", provenote.load_model("delay")["slope"])
"""
PRICES = """\
import pandas as pd
def build(date):
    return pd.DataFrame({"item": ["fig"], "price": [1.5]})
"""
PROJECT = {
    "provenote.toml": MANIFEST,
    "stages/__init__.py": "",
    "stages/prices.py": PRICES,
    "reports/write.ipynb": notebook("# Write", "date = '2013-01-31'\nprices = ''", WRITE),
    "reports/read.ipynb": notebook("# Read", "date = '2013-01-31'\nsold = ''", READ),
    "reports/train.ipynb": notebook("# Train", "slope = 2.0", TRAIN),
    "reports/predict.ipynb": notebook("# Predict", "delay = ''", PREDICT),
}


@pytest.fixture
def shop(evaluate: Bench, git_project: Callable[..., Repository]) -> Shop:
    return Shop(evaluate, git_project(PROJECT, name="shop"))


def batches(shop: Shop, dataset: str) -> list[Batch]:
    with shop.bench.installation.ledger.reading() as session:
        rows = session.scalars(select(Batch).order_by(Batch.id)).all()
    return [row for row in rows if row.partition.dataset.name == dataset]


def test_a_stored_frame_is_published_and_read_by_another_report(shop: Shop) -> None:
    written = shop.ask("write")
    assert "published sold_items/2013-01-31 batch 1" in written.jobs["report"].sentence
    [batch] = batches(shop, "sold_items")
    assert (batch.rows, batch.run_id, batch.record) == (1, written.row.id, written.row.record)
    assert [column["name"] for column in batch.columns or ()] == ["item", "sold"]
    assert "3\n" in shop.ask("read").printed


def test_what_is_stored_is_no_output_by_itself(shop: Shop) -> None:
    names = {output["name"] for output in shop.ask("write").record["outputs"]}
    assert names == {"notebook", "html", "file:seen.txt"}


def test_a_frame_that_a_stage_returns_is_published_with_its_columns(shop: Shop) -> None:
    shop.ask("write")
    [batch] = batches(shop, "prices")
    assert (batch.rows, batch.filename) == (1, "output.parquet")
    assert batch.columns is not None
    assert batch.columns[1] == {"name": "price", "type": "double"}
    changed = PRICES.replace('"price": [1.5]', '"price": ["1.50"]')
    shop.repository.commit({"stages/prices.py": changed})
    shop.ask("write")
    assert batches(shop, "prices")[1].schema_change == "column price: double → large_string"


def test_a_report_that_raises_publishes_nothing(shop: Shop) -> None:
    raising = notebook("# Write", "date = '2013-01-31'\nprices = ''", WRITE, "1 / 0")
    shop.repository.commit({"reports/write.ipynb": raising})
    assert shop.ask("write").verdict == "error"
    assert batches(shop, "sold_items") == []


def test_a_name_that_no_dataset_can_have_ends_the_run(shop: Shop) -> None:
    bad = WRITE.replace('"sold_items"', '"sold items"')
    shop.repository.commit(
        {"reports/write.ipynb": notebook("# W", "date = '2013-01-31'\nprices = ''", bad)}
    )
    run = shop.ask("write")
    assert (run.verdict, run.error["kind"]) == ("error", "publish")
    assert "'sold items' cannot be the name of a dataset" in run.error["message"]


def test_a_model_is_saved_with_metrics_and_loaded_by_another_report(shop: Shop) -> None:
    trained = shop.ask("train")
    assert "published model delay version 1" in trained.jobs["report"].sentence
    [version] = batches(shop, "delay")
    assert version.details == {
        "format": "pickle",
        "metadata": {"features": ["hour"]},
        "metrics": {"rmse": 14.5},
    }
    assert (version.partition.name, version.partition.dataset.kind) == ("main", "model")
    predicted = shop.ask("predict")
    assert "slope 2.0" in predicted.printed
    [found] = predicted.row.inputs
    assert (found.producer, found.batch) == ("model:delay", version.id)
    assert found.producer_key == trained.row.key


def test_a_new_version_runs_the_reports_that_read_the_model_again(shop: Shop) -> None:
    shop.ask("train")
    shop.ask("predict")
    shop.ask("predict_first")
    shop.ask("train", params={"slope": 3})
    again = shop.ask("predict")
    assert "slope 3.0" in again.printed
    assert again.jobs["report"].sentence.endswith("delay is model delay version 2, was 1")
    pinned = shop.ask("predict_first")
    assert (pinned.statuses, pinned.row.inputs[0].batch) == (
        {"report": "reused"},
        batches(shop, "delay")[0].id,
    )
