import re
from typing import Any

import pytest

from app.batches import Order, receive, seen_now
from provenance.datasets.models import model_details
from provenance.datasets.moves import Move, retire
from provenance.datasets.names import DATA, MODEL
from provenance.datasets.publish import NewBatch
from provenance.datasets.snapshots import make_snapshot
from provenance.ledger.data_tables import Batch
from tests.app.archive.test_hostile_strings import EVIL, Inert

DAY = "2013-01-31"
PARTITION = "\"'><script>evil()</script><img src=x onerror=evil()>{{7+7}}</title><!--]]>"
COLUMNS = ({"name": "item", "type": "string"}, {"name": "price", "type": "int64"})


@pytest.fixture
def bring(maker):
    """Write a batch and publish it; what is not said is as usual."""

    def make(content: str = "a", stage_only: bool = False, **values: Any) -> Batch:
        blob = maker.installation.store.put_bytes(content.encode())
        facts: dict[str, Any] = {"dataset": "sold", "partition": DAY, "kind": DATA, "actor": "ada"}
        facts |= {"media_type": "text/csv", "filename": "sold.csv", "columns": COLUMNS, "rows": 2}
        new = NewBatch(sha256=blob.sha256, size=blob.size, **(facts | values))
        seen = seen_now(maker.installation, new.kind, new.dataset, new.partition)
        order = Order(seen, "as usual", stage_only)
        return receive(maker.installation, new, order).batch

    return make


@pytest.fixture
def version(bring):
    """Save a version of the model delay."""

    def make(number: int, **metrics: float | None) -> Batch:
        details = model_details({"features": ["hour"], "note": f"try {number}"}, metrics, "pickle")
        return bring(
            f"object {number}",
            dataset="delay",
            partition="main",
            kind=MODEL,
            filename="model.pkl",
            columns=None,
            rows=None,
            details=details,
        )

    return make


def page(client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    Inert().feed(answer.text)
    return answer.text


def token(text: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found is not None
    return found[1]


def press(client, text: str, address: str, **fields: Any):
    """Press the button of a page that posts to *address*."""
    assert f'action="{address}"' in text
    seen = re.search(r'name="seen" value="(\d+)"', text)
    assert seen is not None
    body = {"csrf_token": token(text), "seen": seen[1]} | fields
    return client.post(address, data=body)


def test_pages_without_data_say_how_to_begin(client):
    assert "provenote data import" in page(client, "/datasets")
    assert "provenote models save" in page(client, "/models")
    home = page(client, "/")
    assert 'href="/datasets"' in home
    assert 'href="/models"' in home


def test_the_page_of_a_dataset_tells_what_is_current(client, bring, maker):
    first = bring("a")
    bring("b", columns=[*COLUMNS, {"name": "note", "type": "string"}])
    bring("c", partition="2013-02-01")
    with maker.installation.ledger.writing() as session:
        retire(session, Move("sold", "bob", "sensor was broken", partition="2013-02-01"))
        make_snapshot(session, "sold", "audit", "ada")
    assert "/datasets/sold" in page(client, "/datasets")
    text = page(client, "/datasets/sold")
    for told in ("retired, 1 batch", "#2", "of 2", "sensor was broken", "audit", "int64", "bob"):
        assert told in text, told
    assert "data export sold 2013-02-01 --format csv" in text
    assert "column note added" in text
    text = page(client, f"/datasets/sold?partition={DAY}")
    assert text.count("column note added") == 2
    assert f"/batches/{first.id}" in text
    assert "Roll back to #1" in text


def test_a_partition_is_rolled_back_by_a_button_that_wants_a_reason(client, bring):
    bring("a")
    bring("b")
    address = f"/datasets/sold?partition={DAY}"
    text = page(client, address)
    done = press(client, text, "/datasets/sold/rollback", partition=DAY, reason=" ")
    assert done.status_code == 400
    assert "It stays in the log." in text
    done = press(client, text, "/datasets/sold/rollback", partition=DAY, reason="wrong prices")
    assert (done.status_code, done.headers["Location"]) == (303, address)
    after = page(client, address)
    assert "Batch 1 is current." in after
    assert "wrong prices" in after
    assert "Roll back to" not in after
    late = press(client, text, "/datasets/sold/rollback", partition=DAY, reason="again")
    assert late.status_code == 409
    assert "local won with a rollback" in late.text


def test_buttons_need_the_token_of_their_page(app, client, bring):
    batch = bring("a", stage_only=True)
    answer = client.post(f"/batches/{batch.id}/publish", data={"reason": "x"})
    assert answer.status_code == 400
    assert "never published" in page(client, f"/batches/{batch.id}")


def test_the_page_of_a_batch_tells_what_it_is_and_who_stands_on_it(client, bring, maker):
    project = maker.project()
    run = maker.run(maker.evaluation(maker.commit(project, 1)))
    other = maker.run(maker.evaluation(maker.commit(project, 2)), "regression_test")
    batch = bring("a", run_id=other.id)
    maker.input(run, batch=batch.id, producer=f"dataset:sold/{DAY}")
    text = page(client, f"/batches/{batch.id}")
    assert f'href="/runs/{run.id}"' in text
    assert "sanity_check" in text
    assert f'href="/runs/{other.id}"' in text
    assert f"/api/v1/batches/{batch.id}/content?format=parquet" in text
    assert "<code>string</code>" in text
    assert "Make current" not in text
    later = bring("b", stage_only=True)
    text = page(client, f"/batches/{later.id}")
    done = press(client, text, f"/batches/{later.id}/publish", reason="checked")
    assert done.status_code == 303
    assert "Batch 2 is current." in page(client, done.headers["Location"])


def test_the_page_of_a_model_plots_its_metrics(client, version):
    first = version(1, rmse=15.5, mae=3.0)
    version(2, rmse=14.25, gap=None)
    assert "version 2" in page(client, "/models")
    text = page(client, "/models/delay")
    assert "Version 2 is promoted" in text
    assert text.count("data-trend") == 3
    assert f'<a href="/batches/{first.id}"><title>15.5 at v1' in text
    assert "&#34;opens&#34;: &#34;/batches/&#34;" in text or '"opens": "/batches/"' in text
    assert 'features ["hour"]' in text.replace("&#34;", '"')
    assert f"/batches/{first.id}/package" in text


def test_a_version_is_promoted_and_rolled_back_by_buttons(client, version):
    first = version(1, rmse=15.5)
    version(2, rmse=14.25)
    text = page(client, f"/batches/{first.id}")
    assert "15.5" in text
    done = press(client, text, f"/batches/{first.id}/publish", reason="better on JFK")
    assert (done.status_code, done.headers["Location"]) == (303, "/models/delay")
    text = page(client, "/models/delay")
    assert "Version 1 is promoted" in text
    assert "better on JFK" in text
    press(client, text, "/models/delay/rollback", reason="no")
    assert "Version 2 is promoted" in page(client, "/models/delay")


def test_a_package_is_downloaded_under_the_sandbox(client, version):
    answer = client.get(f"/batches/{version(1).id}/package")
    assert answer.status_code == 200
    assert answer.data.startswith(b"PK")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/datasets/solt", "Did you mean &#39;sold&#39;?"),
        ("/datasets/sold?partition=2013", "has no partition"),
        ("/batches/batch_x", "There is no batch"),
        ("/models/sold", "There is no model"),
    ],
)
def test_what_does_not_exist_has_a_page_that_helps(client, bring, address, said):
    bring()
    assert said in page(client, address, 404)


def test_long_lists_go_on(client, bring, monkeypatch):
    from app.archive import datasets

    monkeypatch.setattr(datasets, "LISTED", 2)
    for number in range(3):
        bring(str(number), partition=f"p{number}")
        bring(str(number))
    assert "before=p1" in page(client, "/datasets/sold")
    assert "p0" in page(client, "/datasets/sold?before=p1")
    assert "before=2" in page(client, f"/datasets/sold?partition={DAY}")
    assert "#1" in page(client, f"/datasets/sold?partition={DAY}&before=2")


def test_hostile_texts_are_inert(app, client, bring, maker):
    facts = {"actor": EVIL, "filename": EVIL, "media_type": EVIL}
    columns = [{"name": EVIL, "type": EVIL}]
    bring("a", partition=PARTITION, columns=COLUMNS, **facts)
    data = bring("b", partition=PARTITION, columns=columns, **facts)
    details = model_details({EVIL: EVIL}, {EVIL: 1.0}, EVIL)
    model = {"dataset": "delay", "partition": "main", "kind": MODEL, "details": details}
    bring("c", **model, **facts)
    saved = bring("d", **model, **facts)
    with app.test_request_context():
        partition = app.url_for("archive.dataset", dataset="sold", partition=PARTITION)
    for address in (
        "/datasets/sold",
        partition,
        f"/batches/{data.id}",
        "/models/delay",
        f"/batches/{saved.id}",
    ):
        text = page(client, address)
        assert "evil()" in text, address
        assert "<script>evil" not in text, address
        assert "<img src=x" not in text, address
        assert "60481729" not in text.split("<main")[1].split("<time")[0], address
    answer = client.get(f"/api/v1/batches/{saved.id}/content")
    assert "\n" not in answer.headers["Content-Disposition"]
    assert "script" not in answer.headers["Content-Type"]
    text = page(client, partition)
    done = press(client, text, "/datasets/sold/rollback", partition=PARTITION, reason=EVIL)
    assert (done.status_code, done.headers["Location"]) == (303, partition)
    assert "<script>evil" not in page(client, partition)
