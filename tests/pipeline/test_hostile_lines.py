"""Lines about frames and models that no SDK wrote: refused, and never a mistake of ours."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.stored import PRIVATE, StoredError, keep_stored
from pipeline.workplace import Workplace
from provenance.store import Store


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    found = Workplace(tmp_path / "work", "marker")
    found.make()
    (found.outputs / PRIVATE).mkdir()
    (found.outputs / PRIVATE / "object").write_bytes(b"object")
    return found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def batch(place: Workplace, **other: Any) -> dict[str, Any]:
    path = str(place.outputs / PRIVATE / "object")
    told = {"dataset": "sold", "partition": "p", "path": path, "rows": 1, "columns": []}
    return {"batch": told | other}


def model(place: Workplace, **other: Any) -> dict[str, Any]:
    path = str(place.outputs / PRIVATE / "object")
    told = {"name": "delay", "path": path, "format": "pickle", "metadata": {}, "metrics": {}}
    return {"model": told | other}


def write(place: Workplace, *lines: dict[str, Any]) -> None:
    place.results.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def nested(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"metadata": {"a": nested(100)}}, "more than 64 deep"),
        ({"metadata": {"a": nested(900)}}, "more than 64 deep"),
        ({"metadata": {"a": float("nan")}}, "nan is no JSON value"),
        ({"metrics": {"a": float("inf")}}, "inf is no JSON value"),
        ({"metrics": {"a": 10**400}}, "too large"),
        ({"path": "/proc/self/environ"}, "does not lie where outputs belong"),
        ({"path": "a\0b"}, "null byte"),
        ({"name": "delay\x1b[31m"}, "cannot be the name"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_words(
    place: Workplace, store: Store, other: dict[str, Any], said: str
) -> None:
    write(place, model(place, **other))
    with pytest.raises(StoredError, match=said):
        keep_stored(store, place)


@pytest.mark.parametrize("rows", [-1, 2**63, 10**30, "7", 1.5, True, [1]])
def test_rows_that_no_table_has_are_not_told(place: Workplace, store: Store, rows: object) -> None:
    write(place, batch(place, rows=rows))
    assert keep_stored(store, place)["batches"][0]["rows"] is None


def test_very_many_frames_are_refused_before_the_ledger_waits_for_them(
    place: Workplace, store: Store
) -> None:
    write(place, *(batch(place, path="nowhere") for _ in range(3)))
    with pytest.raises(StoredError, match="does not lie"):
        keep_stored(store, place)
    write(place, *(batch(place) for _ in range(1_001)))
    with pytest.raises(StoredError, match="more than 1,000"):
        keep_stored(store, place)


@pytest.mark.parametrize("link", ["the private folder", "the outputs"])
def test_a_link_in_place_of_a_folder_leads_to_nothing(
    place: Workplace, store: Store, tmp_path: Path, link: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / PRIVATE).mkdir(parents=True)
    for folder in (elsewhere, elsewhere / PRIVATE):
        (folder / "object").write_bytes(b"secret")
    replaced = place.outputs if link == "the outputs" else place.outputs / PRIVATE
    shutil.rmtree(replaced)
    replaced.symlink_to(elsewhere)
    write(place, model(place))
    with pytest.raises(StoredError, match="is a link"):
        keep_stored(store, place)
