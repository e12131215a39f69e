from datetime import timedelta

import pytest

from provenance.datasets.errors import (
    ConflictError,
    InvalidNameError,
    NothingBeforeError,
    NothingYetError,
    SnapshotExistsError,
    UnknownBatchError,
    UnknownPinError,
)
from provenance.datasets.history import (
    dataset_row,
    datasets,
    event_row,
    events,
    partitions,
    used_by,
)
from provenance.datasets.moves import Move, promote, retire, rollback
from provenance.datasets.names import DATA, MODEL
from provenance.datasets.pins import pin, pins_of, unpin
from provenance.datasets.publish import pointer_of
from provenance.datasets.snapshots import make_snapshot, snapshots_of
from provenance.ledger.columns import utc_now
from provenance.ledger.ids import new_id
from provenance.ledger.tables import RunInput, RunJob
from provenance.ledger.trace_tables import RecordUse
from tests.provenance.datasets.making import DAY, PRICES, published, put_forward, stage
from tests.support.rows import add_evaluation, add_project, add_runs


def moved(ledger, how, *arguments, **values):
    with ledger.writing() as session:
        return how(session, Move("sold", "bob", "because", partition=DAY, **values), *arguments)


def current(ledger):
    with ledger.reading() as session:
        return pointer_of(session, DATA, "sold", DAY).batch_id


def test_rolling_back_is_a_new_event_to_what_was_before(ledger):
    first, second = published(ledger, "a"), published(ledger, "b")
    event = moved(ledger, rollback)
    assert (event.version, event.op, event.actor, event.reason) == (3, "rollback", "bob", "because")
    assert (event.from_batch, event.to_batch) == (second.id, first.id)
    assert current(ledger) == first.id


def test_rolling_back_twice_does_not_go_forward_again(ledger):
    first = published(ledger, "a")
    published(ledger, "b")
    published(ledger, "c")
    moved(ledger, rollback)
    moved(ledger, rollback)
    assert current(ledger) == first.id
    with pytest.raises(NothingBeforeError, match="--to"):
        moved(ledger, rollback)


def test_rolling_back_to_a_batch_that_was_current(ledger):
    first = published(ledger, "a")
    published(ledger, "b")
    published(ledger, "c")
    moved(ledger, rollback, "1")
    assert current(ledger) == first.id


def test_rolling_back_to_what_never_was_current_names_the_right_command(ledger):
    published(ledger, "a")
    waiting = stage(ledger, "b")
    with pytest.raises(NothingBeforeError, match=f"data publish {waiting.id}"):
        moved(ledger, rollback, "2")
    with pytest.raises(UnknownBatchError):
        moved(ledger, rollback, "7")


def test_a_retirement_is_undone_by_a_rollback(ledger):
    first = published(ledger, "a")
    assert moved(ledger, retire).to_batch is None
    with pytest.raises(NothingBeforeError, match="retired already"):
        moved(ledger, retire)
    assert moved(ledger, rollback).to_batch == first.id


def test_a_promotion_is_undone_by_a_rollback(ledger):
    published(ledger, "a")
    second = published(ledger, "b")
    moved(ledger, promote, 1)
    moved(ledger, rollback)
    assert current(ledger) == second.id


def test_publishing_what_is_current_already_writes_no_event(ledger):
    published(ledger, "a")
    second = published(ledger, "b")
    again = moved(ledger, promote, second.id)
    assert (again.version, again.op, again.actor) == (2, "publish", "ada")
    assert moved(ledger, promote, 2, seen=2).version == 2
    with pytest.raises(ConflictError, match="at version 2, not 1"):
        moved(ledger, promote, 2, seen=1)
    with ledger.reading() as session:
        assert len(events(session, second.partition.dataset)) == 2


def test_a_rollback_skips_moves_from_a_batch_to_itself(ledger):
    first, second = published(ledger, "a"), published(ledger, "b")
    put_forward(ledger, second)
    put_forward(ledger, second)
    assert moved(ledger, rollback).to_batch == first.id
    put_forward(ledger, first)
    with pytest.raises(NothingBeforeError):
        moved(ledger, rollback)


def test_the_log_calls_it_publish_for_data_and_promote_for_models(ledger):
    data, model = stage(ledger, "a"), stage(ledger, "b", kind=MODEL, dataset="delay")
    assert moved(ledger, promote, data.id).op == "publish"
    with ledger.writing() as session:
        event = promote(session, Move("delay", "bob", "because", MODEL), model.id)
    assert event.op == "promote"


def test_what_was_only_written_can_be_promoted_first(ledger):
    waiting = stage(ledger)
    with pytest.raises(NothingYetError):
        moved(ledger, rollback)
    event = moved(ledger, promote, waiting.id)
    assert (event.version, event.from_batch, event.to_batch) == (1, None, waiting.id)


def test_who_decided_on_an_older_version_is_refused(ledger):
    published(ledger, "a")
    published(ledger, "b")
    with pytest.raises(ConflictError, match="version 2, not 1"):
        moved(ledger, rollback, seen=1)
    assert moved(ledger, rollback, seen=2).version == 3


def test_the_audit_trail_tells_everything_newest_first(ledger):
    batch = published(ledger, "a")
    published(ledger, "b")
    moved(ledger, rollback)
    moved(ledger, retire)
    with ledger.reading() as session:
        told = events(session, batch.partition.dataset, batch.partition)
    assert [(row.event.version, row.event.op, row.from_number, row.to_number) for row in told] == [
        (4, "retire", 1, None),
        (3, "rollback", 2, 1),
        (2, "publish", 1, 2),
        (1, "publish", None, 1),
    ]


def test_the_audit_trail_tells_where_columns_changed(ledger):
    first = published(ledger, "a", columns=PRICES)
    published(ledger, "b", columns=PRICES)
    published(ledger, "c", columns=PRICES[:1])
    waiting = stage(ledger, "d", columns=PRICES[:1])
    event = moved(ledger, rollback, "1")
    published(ledger, "e")
    moved(ledger, promote, waiting.id)
    moved(ledger, retire)
    with ledger.reading() as session:
        told = [row.schema_change for row in events(session, first.partition.dataset)]
        assert event_row(session, DAY, event).schema_change == "column price added"
    assert told == [
        None,  # to nothing
        None,  # from a file that is no table
        None,  # to one
        "column price added",
        "column price removed",
        None,
        None,
    ]


@pytest.mark.parametrize("how", [rollback, retire])
def test_a_pattern_moves_nothing(ledger, how):
    published(ledger, "a")
    second = published(ledger, "b")
    with pytest.raises(InvalidNameError, match=r"neither \*"), ledger.writing() as session:
        how(session, Move("sold", "bob", "because", partition="2013-*"))
    assert current(ledger) == second.id


def test_lists_tell_what_is_current_and_what_is_not(ledger):
    published(ledger, "a")
    published(ledger, "bb")
    moved(ledger, retire)
    kept = published(ledger, "ccc", partition="2013-02-01")
    waiting = stage(ledger, "dddd", partition="2013-03-01")
    with ledger.reading() as session:
        [row] = datasets(session)
        assert row == dataset_row(session, kept.partition.dataset)
        assert (row.name, row.partitions, row.batches, row.size) == ("sold", 1, 4, 10)
        rows = partitions(session, kept.partition.dataset)
        told = [(one.partition.name, one.batch and one.batch.id, one.batches) for one in rows]
        further = partitions(session, kept.partition.dataset, 1, before="2013-03-01")
    assert told == [
        ("2013-03-01", None, 1),
        ("2013-02-01", kept.id, 1),
        (DAY, None, 2),
    ]
    assert rows[0].event is None
    assert rows[2].event.op == "retire"
    assert [one.partition.name for one in further] == ["2013-02-01"]
    assert waiting.number == 1


def test_pins_are_held_by_name_and_let_go_by_their_holder(ledger):
    batch = published(ledger)
    until = utc_now() + timedelta(days=1)
    with ledger.writing() as session:
        pin(session, batch.id, "ada", "paper")
        pin(session, batch.id, "bob")
        pin(session, batch.id, "ada", "the second paper", until)
        assert [(one.holder, one.reason) for one in pins_of(session, batch.id)] == [
            ("ada", "the second paper"),
            ("bob", ""),
        ]
    with ledger.writing() as session:
        unpin(session, batch.id, "bob")
        with pytest.raises(UnknownPinError, match="Pinned by: ada"):
            unpin(session, batch.id, "bob")


def test_snapshots_never_change(ledger):
    batch = published(ledger)
    with ledger.writing() as session:
        make_snapshot(session, "sold", "audit", "ada")
    with pytest.raises(SnapshotExistsError, match="another name"), ledger.writing() as session:
        make_snapshot(session, "sold", "audit", "bob")
    with pytest.raises(InvalidNameError), ledger.writing() as session:
        make_snapshot(session, "sold", "a b", "bob")
    with ledger.reading() as session:
        [row] = snapshots_of(session, batch.partition.dataset)
    assert (row.snapshot.name, row.snapshot.actor, row.batches) == ("audit", "ada", 1)


def test_a_snapshot_of_nothing_is_refused_and_leaves_nothing(ledger):
    batch = stage(ledger)
    with pytest.raises(NothingYetError), ledger.writing() as session:
        make_snapshot(session, "sold", "audit", "ada")
    put_forward(ledger, batch)
    with ledger.reading() as session:
        assert list(snapshots_of(session, batch.partition.dataset)) == []


def test_a_batch_is_used_by_reports_that_read_it_and_by_those_whose_stages_do(ledger):
    batch = published(ledger)
    evaluation = add_evaluation(ledger, add_project(ledger))
    direct, through, neither = add_runs(ledger, evaluation, 3)
    facts = {"sha256": batch.sha256, "size": 1, "media_type": "text/csv", "producer_key": ""}
    record = new_id("record")
    job = {"position": 0, "stage": "clean", "key": "k", "status": "reused", "sentence": ""}
    with ledger.writing() as session:
        producer = f"dataset:sold/{DAY}"
        session.add(
            RunInput(run_id=direct, name="sold", producer=producer, batch=batch.id, **facts)
        )
        session.add(RunInput(run_id=neither, name="sold", producer=producer, batch="b", **facts))
        session.add(RunJob(run_id=through, seconds=0.0, record=record, **job))
        session.add(RecordUse(record=record, kind="batch", name=batch.id, digest=batch.sha256))
    with ledger.reading() as session:
        assert [run.id for run in used_by(session, batch)] == [through, direct]
