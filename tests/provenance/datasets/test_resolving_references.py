import time
from datetime import UTC, datetime, timedelta

import pytest

from provenance.datasets.errors import (
    NothingYetError,
    RetiredError,
    UnknownBatchError,
    UnknownDatasetError,
    UnknownPartitionError,
    UnknownSnapshotError,
)
from provenance.datasets.instants import read_instant
from provenance.datasets.moves import Move, promote, retire, rollback
from provenance.datasets.names import DATA, MODEL, fits
from provenance.datasets.resolve import Reference, resolve, resolve_all
from provenance.datasets.snapshots import make_snapshot
from provenance.errors import ProvenoteError
from provenance.ledger.columns import utc_now
from tests.provenance.datasets.making import DAY, published, stage

SOLD = Reference(DATA, "sold", DAY)


def found(ledger, reference, **options):
    with ledger.reading() as session:
        return [one.id for one in resolve(session, reference, **options)]


def test_a_partition_means_its_current_batch(ledger):
    published(ledger, "a")
    second = published(ledger, "b")
    stage(ledger, "c")
    assert found(ledger, SOLD) == [second.id]


def test_a_batch_is_meant_by_id_or_number(ledger):
    first, second = published(ledger, "a"), stage(ledger, "b")
    assert found(ledger, Reference(DATA, "sold", DAY, batch=first.id)) == [first.id]
    assert found(ledger, Reference(DATA, "sold", DAY, batch="2")) == [second.id]
    assert found(ledger, Reference(DATA, "sold", DAY, version=2)) == [second.id]


def test_as_of_is_answered_from_the_events(ledger):
    first = published(ledger, "a")
    between = utc_now()
    second = published(ledger, "b")
    with ledger.writing() as session:
        rollback(session, Move("sold", "ada", "wrong", partition=DAY))
    assert found(ledger, SOLD) == [first.id]
    assert found(ledger, SOLD, as_of=between) == [first.id]
    with ledger.writing() as session:
        promote(session, Move("sold", "ada", "right", partition=DAY), second.id)
    assert found(ledger, SOLD) == [second.id]
    assert found(ledger, SOLD, as_of=between) == [first.id]


def test_as_of_before_the_first_says_which_was_the_first(ledger):
    first = published(ledger)
    early = utc_now() - timedelta(days=1)
    with pytest.raises(NothingYetError) as caught:
        found(ledger, SOLD, as_of=early)
    assert "had nothing yet" in caught.value.message
    assert first.id in caught.value.hint
    assert "by ada" in caught.value.hint


def test_as_of_before_the_first_of_a_pattern_says_which_was_the_first(ledger):
    published(ledger, "x", partition="2012-12")
    first = published(ledger, "a", partition="2013-02")
    published(ledger, "b", partition="2013-02")
    published(ledger, "c", partition="2013-01")
    early = utc_now() - timedelta(days=1)
    with pytest.raises(NothingYetError, match=r"fits '2013-\*' had a current batch") as caught:
        found(ledger, Reference(DATA, "sold", "2013-*"), as_of=early)
    assert "The first was that of sold/2013-02, published at 20" in caught.value.hint
    assert f"by ada: {first.id}" in caught.value.hint


def test_what_was_written_and_never_published_is_nothing_yet(ledger):
    stage(ledger)
    with pytest.raises(NothingYetError, match="data ls sold 2013-01-31"):
        found(ledger, SOLD)


def test_a_retired_partition_says_who_when_and_why(ledger):
    first = published(ledger)
    before = utc_now()
    with ledger.writing() as session:
        retire(session, Move("sold", "bob", "sensor was broken", partition=DAY))
    with pytest.raises(RetiredError, match="by bob: sensor was broken"):
        found(ledger, SOLD)
    assert found(ledger, SOLD, as_of=before) == [first.id]
    assert found(ledger, Reference(DATA, "sold", DAY, batch=first.id)) == [first.id]


def test_a_pattern_means_every_current_partition_that_fits(ledger):
    made = {day: published(ledger, day, partition=day) for day in ("2013-02", "2013-01", "2014-01")}
    published(ledger, "x", dataset="other", partition="2013-03")
    with ledger.writing() as session:
        assert found(ledger, Reference(DATA, "sold", "*")) == [
            made[day].id for day in ("2013-01", "2013-02", "2014-01")
        ]
        retire(session, Move("sold", "ada", "gone", partition="2013-02"))
    assert found(ledger, Reference(DATA, "sold", "2013-*")) == [made["2013-01"].id]
    with pytest.raises(UnknownPartitionError, match="no partition '2015"):
        found(ledger, Reference(DATA, "sold", "2015-*"))
    with pytest.raises(NothingYetError, match="2013-02"):
        found(ledger, Reference(DATA, "sold", "2013-02*"))


def test_a_pattern_of_many_stars_takes_no_longer():
    began = time.monotonic()
    assert not fits("a" * 200, "*a" * 40 + "*b")
    assert fits("a[1]b", "a[?]*")
    assert not fits("a1b", "a[1]b")
    assert time.monotonic() - began < 5


def test_pins_win_over_everything(ledger):
    first = published(ledger, "a")
    published(ledger, "b")
    early = utc_now() - timedelta(days=1)
    pins = {f"sold/{DAY}": first.id}
    assert found(ledger, SOLD, pinned=pins) == [first.id]
    assert found(ledger, SOLD, as_of=early, pinned=pins) == [first.id]
    assert found(ledger, Reference(DATA, "sold", DAY, batch="2"), pinned=pins) == [first.id]
    assert found(ledger, Reference(DATA, "sold", "2013*"), pinned=pins) == [first.id]
    other = published(ledger, "c", partition="2014")
    with pytest.raises(UnknownBatchError, match="does not belong to sold/2013-01-31"):
        found(ledger, SOLD, pinned={f"sold/{DAY}": other.id})


def test_a_model_is_its_promoted_version_or_the_one_named(ledger):
    first = published(ledger, "a", dataset="delay", kind=MODEL)
    second = stage(ledger, "b", dataset="delay", kind=MODEL)
    assert found(ledger, Reference(MODEL, "delay")) == [first.id]
    assert found(ledger, Reference(MODEL, "delay", version=2)) == [second.id]
    assert found(ledger, Reference(MODEL, "delay"), pinned={"model:delay": second.id}) == [
        second.id
    ]
    with pytest.raises(UnknownBatchError, match="model delay has no version '3'"):
        found(ledger, Reference(MODEL, "delay", version=3))


def test_a_model_and_a_dataset_may_share_a_name(ledger):
    model = published(ledger, "a", dataset="delay", kind=MODEL)
    table = published(ledger, "b", dataset="delay", partition="main")
    assert found(ledger, Reference(MODEL, "delay")) == [model.id]
    assert found(ledger, Reference(DATA, "delay", "main")) == [table.id]


def test_a_snapshot_keeps_what_was_current(ledger):
    first = published(ledger, "a")
    with ledger.writing() as session:
        make_snapshot(session, "sold", "audit", "ada")
    published(ledger, "b")
    published(ledger, "c", partition="2014")
    assert found(ledger, Reference(DATA, "sold", DAY, snapshot="audit")) == [first.id]
    assert found(ledger, Reference(DATA, "sold", "*", snapshot="audit")) == [first.id]
    with pytest.raises(UnknownSnapshotError, match="holds nothing of partition '2014'"):
        found(ledger, Reference(DATA, "sold", "2014", snapshot="audit"))
    with pytest.raises(UnknownSnapshotError, match="Did you mean 'audit'"):
        found(ledger, Reference(DATA, "sold", DAY, snapshot="audti"))


@pytest.mark.parametrize(
    ("reference", "kind", "said"),
    [
        (Reference(DATA, "solt", DAY), UnknownDatasetError, "Did you mean 'sold'?"),
        (Reference(MODEL, "sold"), UnknownDatasetError, "There is no model yet."),
        (Reference(DATA, "sold", "2013-01-30"), UnknownPartitionError, "Did you mean '2013-01-31'"),
        (Reference(DATA, "sold", DAY, batch="9"), UnknownBatchError, "no batch '9'"),
        (Reference(DATA, "sold", DAY, version=10**30), UnknownBatchError, "no batch"),
        (Reference(DATA, "sold", DAY, batch="x" * 10**5), UnknownBatchError, "no batch"),
    ],
)
def test_who_errs_is_told_what_is_near(ledger, reference, kind, said):
    published(ledger)
    with pytest.raises(kind) as caught:
        found(ledger, reference)
    assert isinstance(caught.value, ProvenoteError)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_all_references_of_a_run_are_of_one_moment(ledger):
    a, b = (published(ledger, name, dataset=name) for name in ("left", "right"))
    references = [Reference(DATA, name, DAY) for name in ("left", "right")]

    class Meddler:
        """A session between whose statements somebody else moves a pointer."""

        def __init__(self, session):
            self.session = session
            self.moved = False

        def execute(self, *arguments):
            result = self.session.execute(*arguments).all()
            if not self.moved:
                self.moved = True
                for name in ("left", "right"):
                    published(ledger, f"{name} again", dataset=name)
            return result

        def __getattr__(self, name):
            return getattr(self.session, name)

    with ledger.reading() as session:
        meddler = Meddler(session)
        resolved = resolve_all(meddler, references)
    assert meddler.moved
    assert [one.id for (one,) in resolved] == [a.id, b.id]


def test_a_date_alone_means_its_end():
    assert read_instant("2013-01-31") == datetime(2013, 1, 31, 23, 59, 59, 999_999, UTC)
    assert read_instant("2013-01-31T12:00+02:00") == datetime(2013, 1, 31, 10, tzinfo=UTC)
    with pytest.raises(ProvenoteError, match="no date or instant"):
        read_instant("yesterday")
