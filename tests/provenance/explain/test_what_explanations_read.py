"""What an explanation reads: texts of the store, cells of notebooks, batches of the ledger."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from provenance.explain import load
from provenance.explain.cells import first_other_cell, same_page
from provenance.explain.load import kept_in, text_in
from provenance.ledger.data_tables import Batch, Dataset, Partition, PointerEvent
from provenance.record import Record
from provenance.store import Store
from provenance.stores.local import LocalShelf
from tests.pipeline.weather import DAILY, PROJECT
from tests.provenance.explain.conftest import Explainer, MakeRepository, with_job
from tests.provenance.making import record_of

Outputs = list[dict[str, Any]]


def test_a_text_that_lies_in_a_bucket_and_was_never_fetched_is_kept(tmp_path: Path) -> None:
    digest = Store(tmp_path / "bucket").put_bytes("säen".encode()).sha256
    text = text_in(Store(tmp_path / "copies", LocalShelf(tmp_path / "bucket")))
    assert text(digest) == "säen"
    assert text("f" * 64) is None


def test_a_text_that_is_too_long_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "LARGEST_TEXT", 3)
    store = Store(tmp_path / "bucket")
    short, long = (store.put_bytes(data).sha256 for data in (b"abc", b"abcd"))
    text = text_in(Store(tmp_path / "copies", LocalShelf(tmp_path / "bucket")))
    assert (text(short), text(long)) == ("abc", None)


def stream(text: str | list[str], name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def page(*cells: Outputs) -> tuple[Record, str]:
    told = [{"cell_type": "code", "source": "go()", "outputs": outputs} for outputs in cells]
    return record_of("a" * 64), json.dumps({"cells": told})


def compared(*sides: Outputs) -> tuple[bool, int | None]:
    """Tell whether two pages of one cell show the same, and which cell differs first."""
    records, texts = [], {}
    for place, outputs in enumerate(sides):
        record, texts[str(place) * 64] = page(outputs)
        records.append(replace(record, extra={"notebook": str(place) * 64}))
    return same_page(*records, texts.get), first_other_cell(*records, texts.get)


def test_what_was_printed_in_other_pieces_is_the_same_page() -> None:
    pieces = [stream("one\n"), stream("warned\n", "stderr"), stream(["two", "\n"])]
    whole = [stream("warned\n", "stderr"), stream("one\ntwo\n")]
    assert compared(pieces, whole) == (True, None)


def test_other_words_and_words_that_go_elsewhere_are_another_page() -> None:
    assert compared([stream("one\n")], [stream("two\n")]) == (False, 1)
    assert compared([stream("one\n")], [stream("one\n", "stderr")]) == (False, 1)


def test_outputs_of_another_form_than_notebooks_have_are_no_reason_to_fail() -> None:
    strange: Outputs = [{"output_type": "display_data", "data": [5]}]
    assert compared(strange, strange) == (True, None)


def test_a_diff_of_a_stage_that_was_reused_tells_from_which_commit_its_text_is(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    executed, made_at = explainer.push(repository), repository.head
    commented = "# of the day\n" + PROJECT["stages/helper.py"]
    repository.commit(
        {"stages/helper.py": commented, "reports/daily.ipynb": DAILY.replace("Daily", "All")}
    )
    before, reused_at = explainer.push(repository), repository.head
    repository.commit({"stages/helper.py": commented.replace("sun", "hail")})
    found = explainer.explain(before, explainer.push(repository))
    assert found.notes[0] == (
        f"The first run reused table: the diff shows its text as it was executed in {executed} "
        f"at commit {made_at[:12]}, not at {reused_at[:12]}."
    )
    assert not any("reused table" in note for note in explainer.explain(executed, found.b).notes)


def test_all_batches_are_read_in_two_statements_each_with_its_first_move(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    run = explainer.push(git_project(PROJECT))
    world = explainer.bench.installation
    facts = {"state": "committed", "size": 1, "media_type": "text/csv", "filename": "a.csv"}
    with world.ledger.writing() as session:
        session.add(Dataset(id="ds", kind="data", name="sold", created_by="ada"))
        session.flush()
        session.add(Partition(id="pa", dataset_id="ds", name="main"))
        session.flush()
        session.add_all(
            Batch(id=f"b{n}", partition_id="pa", number=n, sha256=f"{n:064}", actor="ada", **facts)
            for n in range(20)
        )
        session.flush()
        session.add_all(
            PointerEvent(
                partition_id="pa", version=at, op="publish", to_batch=batch, actor="ada", reason=why
            )
            for at, (batch, why) in enumerate([("b7", "new"), ("b8", "newer"), ("b7", "back")])
        )
    inputs = tuple({"name": f"i{n}", "batch": f"b{n}"} for n in range(20))
    story = with_job(
        explainer.story(run),
        "table",
        lambda job: replace(job, record=replace(job.record or record_of("a" * 64), inputs=inputs)),
    )
    asked: list[str] = []
    with world.ledger.reading() as session:

        def note(*told: Any) -> None:
            asked.append(told[2])

        event.listen(session.get_bind(), "before_cursor_execute", note)
        try:
            kept = kept_in(session, world.store, [story, story])
            found = [kept.batches(f"b{n}") for n in range(20)]
        finally:
            event.remove(session.get_bind(), "before_cursor_execute", note)
    assert [batch and batch.number for batch in found] == list(range(20))
    assert [batch.reason for batch in found if batch] == [""] * 7 + ["new", "newer"] + [""] * 11
    assert kept.batches("b99") is None
    assert len([one for one in asked if "batch" in one]) == 2
