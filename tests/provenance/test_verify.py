"""Verifying: what was changed after it was written is found and named."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.reproduction.answer import Counts, Finding, Grade, answer
from provenance.cache import Cache, Entry
from provenance.errors import InvalidInputError
from provenance.ledger.engine import Ledger
from provenance.ledger.reproductions import Attempted, write_reproduction
from provenance.record import Output, Record, keep_record, parse_record, sidecar
from provenance.store import Store
from provenance.verify import Verified, sidecars_at, verify_sidecar
from provenance.verify_archive import ArchiveCheck
from tests.provenance.making import genuine_record, output_of, page_with, record_of
from tests.support.ledgers import sqlite_ledger
from tests.support.rows import add_evaluation, add_project, add_runs


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return sqlite_ledger(tmp_path / "ledger.sqlite")


@pytest.fixture
def entry(store: Store, ledger: Ledger) -> Entry:
    """A result with two outputs, the page of a run."""
    found = Cache(store).commit(genuine_record(store, 1, b"one", b"two", extra={"checks": [1]}))
    evaluation = add_evaluation(ledger, add_project(ledger))
    add_runs(ledger, evaluation, record=found.record_id, html=found.record.outputs[0].sha256)
    return found


def archive(store: Store, ledger: Ledger, *, repair: bool = False) -> Verified:
    return ArchiveCheck(store, ledger, repair).run()


def words(verified: Verified) -> list[str]:
    return [found.what for found in verified.problems]


def damage(store: Store, sha256: str, data: bytes) -> None:
    store.path(sha256).chmod(0o644)
    store.path(sha256).write_bytes(data)


def test_an_archive_as_it_was_written_is_clean(store: Store, ledger: Ledger, entry: Entry) -> None:
    seen: list[tuple[int, int]] = []
    check = ArchiveCheck(store, ledger, progress=lambda done, total: seen.append((done, total)))
    verified = check.run()
    assert (verified.problems, verified.notes) == ([], [])
    assert verified.checked == {"objects": 3, "actions": 1, "records": 1, "names in the ledger": 2}
    assert len(seen) == 3
    assert seen[-1][0] == seen[-1][1] > 0


def test_digests_that_a_reproduction_quotes_from_an_output_name_no_object(
    store: Store, ledger: Ledger
) -> None:
    (run,) = add_runs(ledger, add_evaluation(ledger, add_project(ledger)))
    said = f"it prints model {'a' * 64}, was model {'b' * 64}"
    finding = Finding("cell 3", Grade.DIFFERS, said, None, f"model {'b' * 64}", f"model {'a' * 64}")
    told = answer([finding], [], Counts(0, 1), 1e-9)
    facts = (run, None, str(told.grade), told.sentence, told.details, "ada")
    with ledger.writing() as session:
        write_reproduction(session, Attempted(*facts))
    assert archive(store, ledger).problems == []


def test_a_changed_object_is_found_and_stays_unless_it_is_to_be_repaired(
    store: Store, ledger: Ledger, entry: Entry
) -> None:
    sha256 = entry.record.outputs[1].sha256
    damage(store, sha256, b"tw0")
    assert words(archive(store, ledger)) == ["corrupt", "missing"]
    assert store.path(sha256).read_bytes() == b"tw0"
    assert words(archive(store, ledger, repair=True)) == ["corrupt", "missing"]
    assert not store.has(sha256)
    after = archive(store, ledger)
    assert words(after) == ["missing"]
    assert [found.what for found in after.notes] == ["quarantine"]
    store.put_bytes(b"two")
    assert words(archive(store, ledger)) == []


def test_a_damaged_record_is_not_set_aside_by_looking(
    store: Store, ledger: Ledger, entry: Entry
) -> None:
    damage(store, entry.record_id, b"{}")
    assert set(words(archive(store, ledger))) == {"corrupt", "missing"}
    assert store.path(entry.record_id).read_bytes() == b"{}"


def test_a_name_in_the_ledger_without_an_object_is_found(
    store: Store, ledger: Ledger, entry: Entry
) -> None:
    store.path(entry.record.outputs[0].sha256).unlink()
    assert words(archive(store, ledger)) == ["missing"] * 2, "the row's, and the record's output"


def test_a_figure_that_is_not_beside_its_page_any_more_is_found(
    store: Store, ledger: Ledger
) -> None:
    figure = store.put_bytes(b"figure").sha256
    page = store.put_bytes(page_with(figure)).sha256
    add_runs(ledger, add_evaluation(ledger, add_project(ledger)), html=page)
    assert archive(store, ledger).problems == []
    store.path(figure).unlink()
    (found,) = archive(store, ledger).problems
    assert (found.what, found.where) == ("missing", page)
    assert figure in found.message


def test_a_figure_beside_the_page_of_a_result_that_can_be_reused_is_looked_for_once(
    store: Store, ledger: Ledger
) -> None:
    figure = store.put_bytes(b"figure").sha256
    page = output_of(store.put_bytes(page_with(figure)), "html")
    record = replace(genuine_record(store, 1, kind="report"), outputs=(page,))
    entry = Cache(store).commit(record)
    evaluation = add_evaluation(ledger, add_project(ledger))
    store.path(figure).unlink()
    assert [one.where for one in archive(store, ledger).problems] == [page.sha256]
    add_runs(ledger, evaluation, record=entry.record_id, html=page.sha256)
    assert [one.where for one in archive(store, ledger).problems] == [page.sha256]


def test_a_record_whose_key_is_not_that_of_its_preimage_is_found(
    store: Store, ledger: Ledger
) -> None:
    made = genuine_record(store, 1, b"x")
    Cache(store).commit(replace(made, key="f" * 64))
    Cache(store).commit(record_of("e" * 64, preimage={"version": made.preimage["version"]}))
    assert sorted(words(archive(store, ledger))) == ["key", "preimage"]


def test_an_action_under_the_key_of_another_is_found(
    store: Store, ledger: Ledger, entry: Entry
) -> None:
    store.shelf.write(f"actions/ff/{'f' * 64}/x", entry.record_id.encode(), replace=True)
    assert words(archive(store, ledger)) == ["action"]
    store.shelf.write(f"actions/ff/{'f' * 64}/x", b"no digest", replace=True)
    assert words(archive(store, ledger)) == ["missing"]


def test_leftovers_are_told_and_no_harm(store: Store, ledger: Ledger, entry: Entry) -> None:
    for name in ("incoming/a", "objects/aa/.tmp-b", "objects/readme", "actions/.tmp-c"):
        store.root.joinpath(name).parent.mkdir(exist_ok=True)
        store.root.joinpath(name).write_bytes(b"x")
    verified = archive(store, ledger)
    assert verified.problems == []
    assert sorted(found.what for found in verified.notes) == ["stray", *["temporary"] * 3]


Lay = Callable[[], Path]


@pytest.fixture
def laid(tmp_path: Path, store: Store, entry: Entry) -> Path:
    """The second output with its sidecar, as a bundle."""
    output = entry.record.outputs[1]
    target = tmp_path / "bundle" / "two.txt"
    store.copy_out(output.sha256, target)
    told = sidecar(entry.record, entry.record_id, output)
    target.with_name("two.txt.prov.json").write_bytes(told)
    return target


def check(laid: Path, store: Store | None = None) -> Verified:
    verified = Verified()
    for path in sidecars_at(laid):
        verify_sidecar(path, store, verified)
    return verified


def edit(laid: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = laid.with_name(f"{laid.name}.prov.json")
    body = json.loads(path.read_bytes())
    change(body)
    path.write_text(json.dumps(body))


def test_a_file_with_its_sidecar_is_clean_however_it_is_named(laid: Path, store: Store) -> None:
    for given in (laid, laid.with_name("two.txt.prov.json"), laid.parent):
        assert check(given, store).as_json() == {
            "clean": True, "checked": {"sidecars": 1, "files": 1}, "problems": [], "notes": [],
        }  # fmt: skip
    without = check(laid)
    assert without.problems == []
    assert [found.what for found in without.notes] == ["no_archive"]


def test_a_sidecar_that_was_only_written_in_another_form_is_clean(laid: Path, store: Store) -> None:
    edit(laid, lambda body: None)
    assert check(laid, store).problems == []


EDITS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda body: body["run"].update(id="run_2"), "run.id"),
    (lambda body: body["code"].update(commit="b" * 40), "code.commit"),
    (lambda body: body["params"]["day"].update(value="2013-02-01"), "params.day.value"),
    (lambda body: body["extra"].update(checks=[]), "extra.checks"),
    (lambda body: body["extra"]["checks"].__setitem__(0, 2), "extra.checks[0]"),
    (lambda body: body["output"].update(filename="x.txt"), "output.filename"),
    (lambda body: body["siblings"].clear(), "siblings"),
    (lambda body: body.update(name="other"), "name"),
]


@pytest.mark.parametrize(("change", "field"), EDITS, ids=[field for _, field in EDITS])
def test_a_sidecar_edited_by_hand_is_found_and_the_field_named(
    laid: Path, store: Store, change: Callable[[dict[str, Any]], object], field: str
) -> None:
    edit(laid, change)
    (found,) = check(laid, store).problems
    assert (found.what, f"edited: {field}." in found.message) == ("edited", True), found.message
    assert words(check(laid)) == ["edited"], "without an archive as well"


def test_a_sidecar_with_an_edited_key_or_preimage_says_so_twice(laid: Path) -> None:
    edit(laid, lambda body: body["preimage"].update(stage="other"))
    assert words(check(laid)) == ["key", "edited"]


def test_a_sidecar_without_a_preimage_is_found(laid: Path) -> None:
    edit(laid, lambda body: body.update(preimage=None))
    assert words(check(laid)) == ["preimage", "edited"]


def test_an_address_that_is_not_the_digest_is_found(laid: Path) -> None:
    edit(laid, lambda body: body["siblings"][0].update(uri="sha256:" + "0" * 64))
    assert words(check(laid)) == ["edited"]


def test_who_changes_the_id_as_well_is_found_out_by_the_archive(
    laid: Path, store: Store, entry: Entry, tmp_path: Path
) -> None:
    forged = replace(entry.record, run={"id": "run_2"})
    forged_id = keep_record(Store(tmp_path / "other"), forged).sha256
    told = sidecar(forged, forged_id, forged.outputs[1])
    laid.with_name("two.txt.prov.json").write_bytes(told)
    assert words(check(laid, store)) == ["unknown_record"]
    assert parse_record(store.read(entry.record_id)) == entry.record


def laid_with(folder: Path, store: Store, entry: Entry, output: Output) -> Path:
    target = folder / output.filename
    store.copy_out(output.sha256, target)
    told = sidecar(entry.record, entry.record_id, output)
    target.with_name(f"{target.name}.prov.json").write_bytes(told)
    return target


def test_a_frame_that_the_code_stored_is_clean_though_an_output_has_its_name(
    tmp_path: Path, store: Store
) -> None:
    frame = vars(store.put_bytes(b"frame"))
    record = genuine_record(store, 1, b"one", extra={"batches": [{"dataset": "output0", **frame}]})
    entry = Cache(store).commit(record)
    file = laid_with(tmp_path, store, entry, output_of(store.put_bytes(b"frame"), "output0"))
    verified = check(file, store)
    assert (verified.problems, verified.notes) == ([], [])
    edit(file, lambda body: body["extra"].clear())
    assert words(check(file)) == ["edited"]


@pytest.mark.parametrize("number", [1, 2, 60])
@pytest.mark.parametrize("archived", [True, False])
def test_a_sidecar_of_any_of_many_outputs_is_clean_and_the_record_is_not_written_for_each_place(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, number: int, archived: bool
) -> None:
    contents = [b"same" if place % 3 else b"one %d \xc3\xa9" % place for place in range(number)]
    entry = Cache(store).commit(genuine_record(store, 1, *contents))
    files = [laid_with(tmp_path, store, entry, output) for output in entry.record.outputs]
    written: list[int] = []
    to_bytes = Record.to_bytes
    monkeypatch.setattr(Record, "to_bytes", lambda it: (written.append(1), to_bytes(it))[1])
    for file in files:
        assert check(file, store if archived else None).problems == []
    assert len(written) <= 2 * number
    if number > 1:
        edit(files[-1], lambda body: body["siblings"].reverse() or body["siblings"].pop())
        assert words(check(files[-1], store if archived else None)) == ["edited"]


def test_neighbours_are_compared_with_the_record_that_the_first_one_told(
    tmp_path: Path, store: Store
) -> None:
    entry = Cache(store).commit(genuine_record(store, 1, b"one", b"two", b"three"))
    for output in entry.record.outputs:
        laid_with(tmp_path / "bundle", store, entry, output)
    assert check(tmp_path / "bundle").problems == []
    edit(tmp_path / "bundle" / "output2.txt", lambda body: body["run"].update(id="run_2"))
    assert words(check(tmp_path / "bundle")) == ["edited"]


def test_a_page_that_was_rendered_anew_is_told_from_one_that_was_forged(
    tmp_path: Path, store: Store
) -> None:
    page = output_of(store.put_bytes(b"page"), "html")
    preimage = genuine_record(store, 1).preimage
    key = genuine_record(store, 1).key
    entry = Cache(store).commit(record_of(key, page, kind="report", preimage=preimage))
    anew = output_of(store.put_bytes(b"page of other words"), "html")
    file = laid_with(tmp_path, store, entry, anew)
    for archived in (store, None):
        verified = check(file, archived)
        assert verified.problems == []
        assert "rendered_anew" in [found.what for found in verified.notes]
    store.path(anew.sha256).unlink()
    assert words(check(file, store)) == ["edited"]


def test_a_changed_a_missing_and_an_empty_file_are_found(laid: Path) -> None:
    laid.chmod(0o644)
    laid.write_bytes(b"tw0")
    assert words(check(laid)) == ["changed"]
    laid.unlink()
    assert words(check(laid)) == ["missing"]
    laid.write_bytes(b"")
    assert words(check(laid)) == ["changed"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"record_id": 1, "output": 1, "siblings": []}'],
)
def test_what_is_no_sidecar_is_told(laid: Path, data: bytes) -> None:
    laid.with_name("two.txt.prov.json").write_bytes(data)
    assert words(check(laid)) == ["sidecar"]


def test_what_has_no_sidecar_is_refused_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "alone").write_bytes(b"")
    for path in (tmp_path / "alone", tmp_path / "nothing", tmp_path):
        with pytest.raises(InvalidInputError, match="There is no"):
            sidecars_at(path)
    os.mkfifo(tmp_path / "pipe.prov.json")
    with pytest.raises(InvalidInputError):
        sidecars_at(tmp_path / "pipe.prov.json")
