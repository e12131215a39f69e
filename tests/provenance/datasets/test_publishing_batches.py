import threading
from datetime import timedelta

import pytest

from provenance.datasets import publish as publishing
from provenance.datasets.errors import ConflictError, InvalidNameError, KeyReusedError
from provenance.datasets.history import batches, events, times_current
from provenance.datasets.names import DATA, check_dataset, check_partition, fits
from provenance.datasets.publish import By, pointer_of, publish, stage_batch, version_seen
from provenance.errors import NotFoundError
from provenance.ledger.columns import utc_now
from provenance.ledger.data_tables import Batch, PointerEvent
from provenance.ledger.queries.live import live_image
from tests.provenance.datasets.making import DAY, PRICES, new_batch, published, put_forward, stage


def test_a_batch_is_written_and_nothing_becomes_current(ledger):
    batch = stage(ledger)
    assert (batch.number, batch.state) == (1, "committed")
    with ledger.reading() as session:
        assert pointer_of(session, DATA, "sold", DAY) is None
        assert version_seen(session, DATA, "sold", DAY) == 0


def test_publishing_moves_the_pointer_and_leaves_an_event(ledger):
    first, second = stage(ledger, "a"), stage(ledger, "b")
    put_forward(ledger, first, 0)
    event = put_forward(ledger, second, 1, reason="better")
    assert (event.version, event.op, event.from_batch, event.to_batch, event.reason) == (
        2,
        "publish",
        first.id,
        second.id,
        "better",
    )
    with ledger.reading() as session:
        pointer = pointer_of(session, DATA, "sold", DAY)
        assert (pointer.batch_id, pointer.version) == (second.id, 2)
        told = events(session, second.partition.dataset)
    assert [(row.from_number, row.to_number) for row in told] == [(1, 2), (None, 1)]


def test_who_saw_an_older_version_is_told_who_won_and_keeps_the_batch(ledger):
    winner, loser = stage(ledger, "a"), stage(ledger, "b")
    put_forward(ledger, winner, 0)
    with pytest.raises(ConflictError, match=r"sold/2013-01-31 is at version 1, not 0: ada won"):
        put_forward(ledger, loser, 0)
    with ledger.reading() as session:
        assert pointer_of(session, DATA, "sold", DAY).batch_id == winner.id
        assert [one.id for one in batches(session, winner.partition)] == [loser.id, winner.id]
        assert times_current(session, loser) == []


@pytest.mark.parametrize("seen", [0, 1])
def test_of_two_writers_at_the_same_instant_one_wins(ledger, seen):
    if seen:
        published(ledger, "before")
    rivals = [stage(ledger, text) for text in "xy"]
    together, ended = threading.Barrier(2), []

    def write(batch):
        together.wait()
        try:
            ended.append(put_forward(ledger, batch, seen).version)
        except ConflictError:
            ended.append("conflict")

    threads = [threading.Thread(target=write, args=(batch,)) for batch in rivals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, ended)) == [str(seen + 1), "conflict"]


def test_a_version_that_never_was_is_a_conflict(ledger):
    with pytest.raises(ConflictError, match="nothing was published there yet"):
        put_forward(ledger, stage(ledger), 3)
    published(ledger)
    with pytest.raises(ConflictError, match="at version 1, not 3"):
        put_forward(ledger, stage(ledger, "b"), 3)


def test_the_same_idempotency_key_gives_the_same_batch(ledger):
    first = stage(ledger, "a", idempotency_key="job-1")
    again = stage(ledger, "a", idempotency_key="job-1")
    other = stage(ledger, "c", partition="2013-02-01", idempotency_key="job-1")
    assert first.id == again.id != other.id
    assert again.sha256 == first.sha256


def test_an_idempotency_key_is_refused_with_other_content(ledger):
    first = stage(ledger, "a", idempotency_key="job-1")
    with pytest.raises(KeyReusedError, match=rf"batch 1 \({first.id}\) of sold/2013-01-31"):
        stage(ledger, "b", idempotency_key="job-1")
    with ledger.reading() as session:
        assert [one.id for one in batches(session, first.partition)] == [first.id]


def test_what_came_under_a_key_is_compared_and_not_what_was_made_of_it(ledger):
    first = stage(ledger, "a", idempotency_key="job-1", sent="0" * 64)
    newer_library = stage(ledger, "b", idempotency_key="job-1", sent="0" * 64)
    assert newer_library.id == first.id
    with pytest.raises(KeyReusedError):
        stage(ledger, "a", idempotency_key="job-1", sent="1" * 64)


def test_the_same_idempotency_key_at_the_same_instant_gives_one_batch(ledger):
    together, ids = threading.Barrier(4), []

    def write():
        together.wait()
        ids.append(stage(ledger, "a", idempotency_key="job-1").id)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_a_change_of_the_columns_is_recorded_in_words(ledger):
    published(ledger, "a", columns=PRICES)
    other = ({"name": "price", "type": "double"}, {"name": "note", "type": "string"})
    changed = stage(ledger, "b", columns=other)
    assert changed.schema_change == (
        "column price: int64 → double; column note added; column item removed"
    )
    assert stage(ledger, "c", columns=PRICES).schema_change is None
    assert stage(ledger, "d", columns=PRICES[::-1]).schema_change == "columns in another order"
    assert stage(ledger, "e").schema_change is None


def test_instants_of_events_never_go_back_when_a_clock_does(ledger, monkeypatch):
    batch = published(ledger)
    late = utc_now() - timedelta(hours=1)
    monkeypatch.setattr(publishing, "utc_now", lambda: late)
    event = put_forward(ledger, batch, 1)
    with ledger.reading() as session:
        first = session.get_one(PointerEvent, (batch.partition_id, 1))
    assert event.at == first.at > late


def test_a_conflict_leaves_nothing_of_the_transaction(ledger):
    batch = published(ledger)
    staged = []

    def stage_and_publish_at_once():
        with ledger.writing() as session:
            staged.append(stage_batch(session, new_batch("b")))
            publish(session, staged[0], 0, By("bob"))

    with pytest.raises(ConflictError):
        stage_and_publish_at_once()
    with ledger.reading() as session:
        assert session.get(Batch, staged[0].id) is None
        assert version_seen(session, DATA, "sold", DAY) == 1
        assert [one.id for one in batches(session, batch.partition)] == [batch.id]


@pytest.mark.parametrize("name", ["", "1st", "a b", "a/b", "é", "a" * 101, "a\n", "../x", "*"])
def test_names_that_datasets_cannot_have(name):
    with pytest.raises(InvalidNameError, match="letters, digits"):
        check_dataset(name)


@pytest.mark.parametrize(
    "name", ["", "a" * 201, "/a", "a/", "a//b", "..", "a/../b", ".", "a\0", "a\n", " a", "a*", "a?"]
)
def test_names_that_partitions_cannot_have(name):
    with pytest.raises(InvalidNameError):
        check_partition(name)


@pytest.mark.parametrize("name", ["2013-01-31", "year=2013/month=1", "Zürich 3", "<b>", "a..b"])
def test_names_that_partitions_can_have(name):
    assert check_partition(name) == name


def test_names_are_checked_before_anything_is_written(ledger):
    for bad in ({"dataset": "a b"}, {"partition": "a//b"}):
        with pytest.raises(InvalidNameError):
            stage(ledger, **bad)


def test_patterns_are_stars_and_question_marks_and_nothing_else():
    assert fits("2013-01-31", "2013-*")
    assert fits("2013-01-31", "2013-0?-31")
    assert not fits("2013-01-31", "2014-*")
    assert not fits("a", "[a-z]")
    assert fits("[a-z]", "[a-z]*")


@pytest.mark.parametrize("number", [2**31, 2**63, 10**20])
def test_a_number_that_no_column_holds_is_asked_for_on_every_database(ledger, number):
    first = stage(ledger, "a")
    with ledger.reading() as session:
        assert [one.id for one in batches(session, first.partition, before=number)] == [first.id]
        assert not batches(session, first.partition, before=-number)
        with pytest.raises(NotFoundError, match="no live figure"):
            live_image(session, "run_1", number)
