"""Records: written once, read back the same, told from each output."""

import json
from pathlib import Path

import pytest

from provenance.record import Output, keep_record, parse_record, sidecar
from provenance.store import Store
from tests.provenance.making import output_of, record_of


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_a_record_is_read_back_as_it_was_written(store: Store) -> None:
    outputs = [output_of(store.put_bytes(name.encode()), name) for name in ("train", "test")]
    told = ({"name": "departures", "sha256": "b" * 64},)
    record = record_of("k" * 64, *outputs, inputs=told, extra={"log": "ü → ✓", "metrics": []})
    blob = keep_record(store, record)
    read = parse_record(store.read(blob.sha256))
    assert read == record
    assert read.to_bytes() == record.to_bytes()
    assert keep_record(store, read) == blob
    assert read.output("test") == outputs[1]
    assert read.output("other") is None


def test_the_order_in_which_things_were_noted_changes_nothing() -> None:
    one = record_of("k", params={"a": {"value": 1}, "b": {"value": 2}})
    other = record_of("k", params={"b": {"value": 2}, "a": {"value": 1}})
    assert one.to_bytes() == other.to_bytes()


def test_a_sidecar_tells_of_one_output_and_names_its_siblings() -> None:
    train = Output("train", "1" * 64, 10, "text/csv", "train.csv")
    test = Output("test", "2" * 64, 20, "text/csv", "test.csv")
    told = json.loads(sidecar(record_of("k", train, test), "r" * 64, test))
    assert told["output"]["name"] == "test"
    assert told["output"]["uri"] == f"sha256:{'2' * 64}"
    assert [sibling["name"] for sibling in told["siblings"]] == ["train"]
    assert told["record_id"] == "r" * 64
    assert "outputs" not in told
    assert told["schema"] == "provenote/record/1"
    assert told["code"]["commit"] == "a" * 40


@pytest.mark.parametrize("body", [b"{}", b'{"schema": "provenote/record/2"}', b"no json"])
def test_what_is_no_record_of_this_schema_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"schema|Expecting"):
        parse_record(body)
