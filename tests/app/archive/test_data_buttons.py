"""What is done to data on its pages: taking a snapshot, retiring, holding on and letting go."""

from datetime import UTC, datetime, timedelta

import pytest

from provenance.datasets.history import times_current
from provenance.datasets.names import MODEL
from provenance.datasets.pins import pin, pins_of
from provenance.datasets.publish import pointer_of
from provenance.datasets.snapshots import snapshots_of
from provenance.ledger.columns import utc_now
from provenance.ledger.data_tables import Dataset
from tests.app.archive.test_data_pages import DAY, bring, page, press, token, version

__all__ = ["bring", "version"]
PARTITION_PAGE = f"/datasets/sold?partition={DAY}"


def send(client, text: str, address: str, **fields: str):
    """Fill in the form of a page that posts to *address*; it has no version of a pointer."""
    assert f'action="{address}"' in text
    return client.post(address, data={"csrf_token": token(text)} | fields)


def pins(maker, batch) -> list[tuple[str, str]]:
    with maker.installation.ledger.reading() as session:
        return [(one.holder, one.reason) for one in pins_of(session, batch.id)]


def test_a_snapshot_is_taken_on_the_page_of_its_dataset(client, bring, maker):
    bring("a")
    bring("b", partition="2013-02-01")
    text = page(client, "/datasets/sold")
    assert "keeps which batches are current" in text
    done = send(client, text, "/datasets/sold/snapshots", name=" audit ")
    assert (done.status_code, done.headers["Location"]) == (303, "/datasets/sold#snapshots")
    with maker.installation.ledger.reading() as session:
        (held,) = snapshots_of(session, session.query(Dataset).one())
    assert (held.snapshot.name, held.snapshot.actor, held.batches) == ("audit", "local", 2)
    text = page(client, "/datasets/sold")
    assert "audit" in text
    assert "2 batches" in text


@pytest.mark.parametrize(
    ("name", "said", "status"),
    [
        ("audit", "take another name", 409),
        ("1st", "beginning with a letter", 400),
        ("", "beginning with a letter", 400),
    ],
)
def test_a_snapshot_under_a_name_that_cannot_be_is_refused(client, bring, name, said, status):
    bring("a")
    text = page(client, "/datasets/sold")
    send(client, text, "/datasets/sold/snapshots", name="audit")
    done = send(client, text, "/datasets/sold/snapshots", name=name)
    assert done.status_code == status
    assert said in done.text


def test_where_nothing_is_current_no_snapshot_is_offered_or_taken(client, bring):
    bring("a", stage_only=True)
    text = page(client, "/datasets/sold")
    assert "/datasets/sold/snapshots" not in text
    assert "nothing is current" in text
    other = page(client, f"/batches/{bring('b', dataset='other').id}")
    body = {"csrf_token": token(other), "name": "audit"}
    done = client.post("/datasets/sold/snapshots", data=body)
    assert done.status_code == 404
    assert "nothing to keep" in done.text
    assert client.post("/datasets/solt/snapshots", data=body).status_code == 404


def test_a_partition_is_retired_with_a_reason_and_rolling_back_undoes_it(client, bring, maker):
    batch = bring("a")
    text = page(client, PARTITION_PAGE)
    assert "Roll back to" not in text
    assert press(client, text, "/datasets/sold/retire", partition=DAY).status_code == 400
    done = press(client, text, "/datasets/sold/retire", partition=DAY, reason="sensor broke")
    assert (done.status_code, done.headers["Location"]) == (303, PARTITION_PAGE)
    text = page(client, PARTITION_PAGE)
    for told in ("Retired: no batch is current.", "sensor broke", "Roll back to #1"):
        assert told in text, told
    assert "/datasets/sold/retire" not in text
    press(client, text, "/datasets/sold/rollback", partition=DAY, reason="it was mended")
    with maker.installation.ledger.reading() as session:
        pointer = pointer_of(session, "data", "sold", DAY)
    assert pointer is not None
    assert (pointer.batch_id, pointer.version) == (batch.id, 3)


def test_who_retires_what_has_moved_since_is_told_who_was_faster(client, bring):
    bring("a")
    text = page(client, PARTITION_PAGE)
    bring("b")
    late = press(client, text, "/datasets/sold/retire", partition=DAY, reason="gone")
    assert late.status_code == 409
    assert "ada won with a publish" in late.text
    assert "Batch 2 is current." in page(client, PARTITION_PAGE)


@pytest.mark.parametrize("seen", ["", "two", "1.0", None])
def test_a_move_that_does_not_say_what_was_seen_is_refused(client, bring, seen):
    """Without it nobody could tell that somebody else was faster."""
    bring("a")
    waiting = bring("b", stage_only=True)
    for text, address in (
        (page(client, PARTITION_PAGE), "/datasets/sold/retire"),
        (page(client, f"/batches/{waiting.id}"), f"/batches/{waiting.id}/publish"),
    ):
        said = {"seen": seen} if seen is not None else {}
        done = send(client, text, address, partition=DAY, reason="x", **said)
        assert done.status_code == 400, address
        assert "version of the pointer" in done.text
    assert "Batch 1 is current." in page(client, PARTITION_PAGE)


def test_what_the_button_did_is_called_as_the_command_calls_it(client, bring, maker):
    for batch, op in (
        (bring("a", stage_only=True), "publish"),
        (bring("m", stage_only=True, kind=MODEL, dataset="delay", partition="main"), "promote"),
    ):
        address = f"/batches/{batch.id}/publish"
        done = press(client, page(client, f"/batches/{batch.id}"), address, reason="x")
        assert done.status_code == 303
        with maker.installation.ledger.reading() as session:
            assert [one.op for one in times_current(session, batch)] == [op]


@pytest.mark.parametrize("button", ["retire", "rollback"])
def test_a_pattern_moves_no_pointer(client, bring, button):
    bring("a")
    bring("b")
    text = page(client, PARTITION_PAGE)
    done = press(client, text, f"/datasets/sold/{button}", partition="*", reason="all of them")
    assert done.status_code == 400
    assert "cannot be the name of a partition" in done.text
    assert "Batch 2 is current." in page(client, PARTITION_PAGE)
    assert "neither *" in page(client, "/datasets/sold?partition=*", 400)


def test_a_batch_is_pinned_and_let_go_of_on_its_page(client, bring, maker):
    batch = bring("a")
    address = f"/batches/{batch.id}"
    text = page(client, address)
    assert f"{address}/unpin" not in text
    done = send(client, text, f"{address}/pin", reason="for the audit", until="2999-12-31")
    assert (done.status_code, done.headers["Location"]) == (303, f"{address}#pins")
    assert pins(maker, batch) == [("local", "for the audit")]
    text = page(client, address)
    for told in ("for the audit", "until", "2999-12-31"):
        assert told in text, told
    done = send(client, text, f"{address}/unpin")
    assert (done.status_code, done.headers["Location"]) == (303, f"{address}#pins")
    assert pins(maker, batch) == []
    late = send(client, text, f"{address}/unpin")
    assert late.status_code == 404
    assert "Nobody holds it." in late.text


def test_a_pin_needs_neither_reason_nor_end_and_says_what_its_end_may_be(client, version, maker):
    saved = version(1, rmse=2.0)
    address = f"/batches/{saved.id}"
    text = page(client, address)
    assert send(client, text, f"{address}/pin", reason="", until="").status_code == 303
    assert pins(maker, saved) == [("local", "")]
    done = send(client, text, f"{address}/pin", until="soon")
    assert done.status_code == 400
    assert "Write it as 2013-02-28" in done.text
    past = send(client, text, f"{address}/pin", until="2013-02-28")
    assert past.status_code == 400
    assert "has passed" in past.text
    assert client.post("/batches/batch_x/pin", data={"csrf_token": token(text)}).status_code == 404


def test_a_pin_of_somebody_else_is_told_and_not_let_go_of(client, bring, maker):
    batch = bring("a")
    with maker.installation.ledger.writing() as session:
        pin(session, batch.id, "ada", "her thesis", utc_now() - timedelta(days=1))
        pin(session, batch.id, "bob", "", datetime(2999, 1, 1, tzinfo=UTC))
    address = f"/batches/{batch.id}"
    text = page(client, address)
    for told in ("ada", "her thesis", "ran out", "bob", "2999-01-01"):
        assert told in text, told
    assert f"{address}/unpin" not in text
    body = {"csrf_token": token(text)}
    done = client.post(f"{address}/unpin", data=body)
    assert done.status_code == 404
    assert "Pinned by: ada, bob." in done.text


@pytest.mark.parametrize(
    "address", ["/datasets/sold/snapshots", "/datasets/sold/retire", "/batches/{}/pin"]
)
def test_every_button_needs_the_token_of_its_page(client, bring, maker, address):
    batch = bring("a")
    fields = {"name": "audit", "partition": DAY, "reason": "x"}
    assert client.post(address.format(batch.id), data=fields).status_code == 400
    assert pins(maker, batch) == []
    assert "Batch 1 is current." in page(client, PARTITION_PAGE)
    assert "audit" not in page(client, "/datasets/sold")


def test_each_field_of_a_page_has_a_label_of_its_own(client, bring):
    bring("a")
    batch = bring("b")
    bring("c")
    for address in ("/datasets/sold", PARTITION_PAGE, f"/batches/{batch.id}"):
        text = page(client, address)
        ids = [part.split('"')[0] for part in text.split(' id="')[1:]]
        assert len(ids) == len(set(ids)), address
        fields = text.count('<input type="text"') + text.count('<input type="date"')
        assert fields == text.count("<label") > 0, address
