"""Runs to take along: what is in a bundle, and how what was changed in one is found out."""

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.exports import bundle, standalone_page
from pipeline.bundles.page import NoPageFileError, verify_page
from pipeline.bundles.writing import zipped
from pipeline.installation import Installation, Limits, SourceUrls
from pipeline.kernels.hosts import KernelHosts
from pipeline.rendering.taken_apart import NoStampError, taken_apart
from pipeline.runner.client import Runner
from provenance.store import Store
from provenance.verify import Verified
from tests.pipeline.weather import single
from tests.support.bundles import (
    Files,
    checked,
    edited,
    unzipped,
    with_new_hash,
    with_other_record,
    with_record_of,
    zipped_anew,
)
from tests.support.evaluations import Bench, Told
from tests.support.ledgers import sqlite_ledger
from tests.support.repository import Files as Sources
from tests.support.repository import Repository, make_repository, notebook
from tests.support.tides import FILES as TIDES

DRAW = """\
for n in range(3):
    data = base64.b64encode(bytes([n]) * 700_000).decode()
    publish_display_data({"image/png": data})
print("long " * 100_000)
"""
IMPORTS = "import base64\nfrom IPython.display import publish_display_data"
DRAWN: Sources = single(notebook("# Tides $x^2$", IMPORTS, DRAW))


@pytest.fixture(scope="module")
def bench(
    tmp_path_factory: pytest.TempPathFactory,
    environments: Path,
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
) -> Bench:
    home = tmp_path_factory.mktemp("home")
    (home / "environments").symlink_to(environments)
    found = Installation(
        home=home,
        ledger=sqlite_ledger(home / "ledger.sqlite"),
        store=Store(home / "store"),
        base_url="http://localhost:8000",
        source_urls=SourceUrls({}),
        limits=Limits(),
        allow_file_repositories=True,
    )
    return Bench(found, runner, hosts)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    files = {**TIDES}
    files["provenote.toml"] = str(TIDES["provenote.toml"]).partition("[reports.gated]")[0]
    return make_repository(tmp_path_factory.mktemp("git") / "tides", files)


@pytest.fixture(scope="module")
def run(bench: Bench, repository: Repository) -> Told:
    """A run of a stage and a report."""
    return bench(repository).run


@pytest.fixture(scope="module")
def data(bench: Bench, run: Told) -> bytes:
    assert run.verdict == "passed"
    return b"".join(zipped(bundle(bench.installation, run.row.id)))


@pytest.fixture
def files(data: bytes) -> Files:
    return unzipped(data)


def test_a_bundle_has_page_notebook_records_and_the_hashes_of_inputs(
    files: Files, run: Told
) -> None:
    assert next(iter(files)) == "manifest.json"
    told = json.loads(files["manifest.json"])
    assert told["format"] == "provenote/bundle/1"
    records = {f"records/{job.record}.json" for job in run.jobs.values()}
    assert set(files) == {"manifest.json", "report.html", "notebook.ipynb", *records}
    assert files["notebook.ipynb"] == run.store.read(str(run.row.notebook))
    assert b"tide " in files["notebook.ipynb"]
    (given,) = told["inputs"]
    (known,) = run.record["inputs"]
    assert (given["job"], given["name"], given["sha256"]) == ("report", "count", known["sha256"])
    assert given["producer_record"] == run.jobs["count"].record
    assert told["run"]["record"] == run.row.record


def test_the_same_run_gives_the_same_bytes(bench: Bench, run: Told, data: bytes) -> None:
    assert b"".join(zipped(bundle(bench.installation, run.row.id))) == data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        names = archive.namelist()[1:]
    assert names == sorted(names)


def test_a_bundle_is_verified_where_there_is_no_archive(data: bytes, tmp_path: Path) -> None:
    found = checked(data, tmp_path)
    assert found.problems == []
    assert found.checked == {
        **{"bundles": 1, "files": 4, "records": 2, "keys": 2, "pages": 1},
        **{"notebooks": 1, "inputs": 1},
    }
    assert {note.what for note in found.notes} == {"not_checked", "record", "told"}


def report_record(files: Files) -> str:
    return f"records/{json.loads(files['manifest.json'])['run']['record']}.json"


def _with_another_verdict(files: Files, name: str) -> Files:
    return with_new_hash(files, name, files[name].replace(b'"passed"', b'"failed"'))


FORGED: dict[str, tuple[Callable[[Files], Files], str, str]] = {
    "a byte of the notebook": (
        lambda files: {**files, "notebook.ipynb": files["notebook.ipynb"] + b" "},
        "notebook.ipynb",
        "changed",
    ),
    "the notebook, and its hash": (
        lambda files: with_new_hash(files, "notebook.ipynb", b"{}"),
        "notebook.ipynb",
        "edited",
    ),
    "a word of the page, and its hash": (
        lambda files: with_new_hash(
            files, "report.html", files["report.html"].replace(b"a hundred", b"a thousand")
        ),
        "report.html",
        "changed",
    ),
    "something put into the page, and its hash": (
        lambda files: with_new_hash(
            files, "report.html", files["report.html"].replace(b"<body>", b"<body><hr>")
        ),
        "report.html",
        "changed",
    ),
    "another verdict of the record, and its hash": (
        lambda files: _with_another_verdict(files, report_record(files)),
        "records/",
        "edited",
    ),
    "a file that is left out": (
        lambda files: {name: files[name] for name in files if name != "notebook.ipynb"},
        "notebook.ipynb",
        "missing",
    ),
    "a file too many": (lambda files: {**files, "run-me.sh": b"rm"}, "run-me.sh", "unnamed"),
    "the inputs of the manifest": (
        lambda files: edited(
            files, "manifest.json", lambda body: body["inputs"][0].update(sha256="0" * 64)
        ),
        "manifest.json",
        "edited",
    ),
    "the report's name": (
        lambda files: edited(
            files, "manifest.json", lambda body: body["run"].update(report="other")
        ),
        "manifest.json",
        "edited",
    ),
    "a key": (
        lambda files: edited(
            files, "manifest.json", lambda body: body["jobs"][0].update(key="0" * 64)
        ),
        "manifest.json",
        "edited",
    ),
    "the record that it names": (
        lambda files: edited(
            files, "manifest.json", lambda body: body["run"].update(record="0" * 64)
        ),
        "manifest.json",
        "missing",
    ),
    "a field of the manifest": (
        lambda files: edited(files, "manifest.json", lambda body: body.update(more=1)),
        "manifest.json",
        "manifest",
    ),
    "a manifest that never ends": (
        lambda files: {**files, "manifest.json": b"[" * 100_000},
        "manifest.json",
        "manifest",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_what_was_changed_is_named(files: Files, tmp_path: Path, name: str) -> None:
    forge, where, what = FORGED[name]
    found = checked(zipped_anew(forge(files)), tmp_path)
    told = [(one.what, one.where) for one in found.problems]
    assert any(one == what and place.startswith(where) for one, place in told), told


def test_a_record_whose_key_is_not_that_of_its_preimage_is_named(
    files: Files, tmp_path: Path
) -> None:
    """Whoever edits a record and names it by its new digest still has a key that is not its own."""
    stage = next(
        job for job in json.loads(files["manifest.json"])["jobs"] if job["name"] == "count"
    )
    name = f"records/{stage['record']}.json"
    forged = with_new_hash(files, name, files[name].replace(stage["key"].encode(), b"0" * 64))
    digest = next(
        one["sha256"] for one in json.loads(forged["manifest.json"])["files"] if one["path"] == name
    )
    forged[f"records/{digest}.json"] = forged.pop(name)
    text = forged["manifest.json"].replace(stage["record"].encode(), digest.encode())
    found = checked(zipped_anew({**forged, "manifest.json": text}), tmp_path)
    assert "key" in [one.what for one in found.problems]


STRANGE: dict[str, Callable[[dict[str, Any]], object]] = {
    "half a character": lambda body: body.update(name="\ud800"),
    "half a character in the preimage": lambda body: body["preimage"].update(stage="\ud800"),
    "no object as its rest": lambda body: body.update(extra=[1]),
    "no list as batches": lambda body: body["extra"].update(batches=7),
    "no object as its code": lambda body: body.update(code="x"),
    "no objects as inputs": lambda body: body.update(inputs=["x", 1, None]),
    "inputs of another kind": lambda body: body["inputs"][0].update(sha256=[], size="x"),
    "an output's name as a list": lambda body: body["outputs"][0].update(name=[]),
    "very many inputs": lambda body: body.update(inputs=body["inputs"] * 20_000),
    "a number without end": lambda body: body.update(key=float("inf")),
    "no preimage": lambda body: body.update(preimage=[]),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_record_that_holds_anything_is_told_and_stops_nothing(
    files: Files, tmp_path: Path, name: str
) -> None:
    found = checked(zipped_anew(with_other_record(files, STRANGE[name])), tmp_path)
    assert found.problems
    assert all(len(one.message) <= 1000 for one in (*found.problems, *found.notes))


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b'"x"', b"{}", b"\xff", b"9" * 9_999])
def test_what_is_no_record_is_told(files: Files, tmp_path: Path, content: bytes) -> None:
    found = checked(zipped_anew(with_record_of(files, content)), tmp_path)
    assert "record" in [one.what for one in found.problems]


def test_records_that_the_archive_has_lost_are_named_and_the_rest_is_checked(
    bench: Bench, run: Told, tmp_path: Path
) -> None:
    record = str(run.jobs["count"].record)
    path = run.store.path(record)
    kept = path.read_bytes()
    path.unlink()
    try:
        data = b"".join(zipped(bundle(bench.installation, run.row.id)))
    finally:
        run.store.put_bytes(kept)
    assert json.loads(unzipped(data)["manifest.json"])["missing"] == [record]
    found = checked(data, tmp_path)
    assert found.problems == []
    assert record in [note.where for note in found.notes]


def test_a_page_that_was_rendered_anew_is_told_beside_the_notebook_of_its_record(
    bench: Bench, run: Told, repository: Repository, tmp_path: Path
) -> None:
    """Edited prose executes nothing: no record names the page that shows it."""
    template = str(TIDES["reports/quick.ipynb"]).replace("# Quick", "# Quicker")
    repository.commit({"reports/quick.ipynb": template})
    anew = bench(repository).run
    assert (anew.row.reused, anew.row.html != run.row.html) == (True, True)
    data = b"".join(zipped(bundle(bench.installation, anew.row.id)))
    taken = unzipped(data)
    assert taken["executed/notebook.ipynb"] == run.store.read(str(run.row.notebook))
    assert b"Quicker" in taken["notebook.ipynb"]
    assert b"Quicker" in taken["report.html"]
    found = checked(data, tmp_path)
    assert found.problems == []
    assert [note.where for note in found.notes if note.what == "rendered_anew"] == [
        *("report.html", "notebook.ipynb"),
    ]
    other = with_new_hash(taken, "executed/notebook.ipynb", b"{}")
    assert [one.where for one in checked(zipped_anew(other), tmp_path).problems] == [
        "executed/notebook.ipynb"
    ]


@pytest.fixture(scope="module")
def alone(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page as one file, with libraries, figures, and an output that lies beside it."""
    repository: Repository = make_repository(tmp_path_factory.mktemp("git") / "weather", DRAWN)
    run = bench(repository).run
    text = standalone_page(bench.installation, run.row).decode()
    assert run.html == taken_apart(text).page, "the very page comes out of the file again"
    assert 'data-library="' in text
    assert text.count('data-output="') == 2
    return text


def page_checked(text: str, folder: Path) -> Verified:
    path = folder / "report.html"
    path.write_text(text, newline="")
    verified = Verified()
    verify_page(path, verified)
    return verified


def test_a_downloaded_page_is_verified_by_itself(alone: str, tmp_path: Path) -> None:
    found = page_checked(alone, tmp_path)
    assert found.problems == []
    assert found.checked == {"pages": 1, "keys": 1}
    assert [note.what for note in found.notes] == ["record"]


def _other_figure(text: str) -> str:
    mark, end = text.index('data-output="'), '"'
    start = text.index("base64,", mark) + len("base64,")
    stop = text.index(end, start)
    return text[:start] + base64.b64encode(b"another").decode() + text[stop:]


def _other_library(text: str) -> str:
    mark = text.index('data-library="')
    return text[:mark] + text[mark:].replace("function", "funktion", 1)


def _other_link(text: str) -> str:
    return text.replace('href="http://localhost:8000/runs', 'href="http://example.org/runs')


ALTERED: dict[str, tuple[Callable[[str], str], str]] = {
    "a word": (lambda text: text.replace("Tides", "Tidings", 1), "text or stamp was changed"),
    "a figure": (_other_figure, "The figure "),
    "a library": (_other_library, "The library "),
    "where its links lead": (_other_link, "text or stamp was changed"),
    "a script at its end": (
        lambda text: text.replace("</body>", "<script>alert(1)</script></body>"),
        "text or stamp was changed",
    ),
    "a mark": (
        lambda text: text.replace(' data-loaded="later"', ' data-loaded="hacked" data-x="', 1),
        "changed",
    ),
    "a number in its record": (
        lambda text: re.sub(r'("finished_at":"20)\d\d', r"\g<1>99", text, count=1),
        "stamp was changed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALTERED)
def test_what_was_changed_in_a_page_is_named(alone: str, tmp_path: Path, name: str) -> None:
    change, told = ALTERED[name]
    altered = change(alone)
    assert altered != alone
    messages = [one.message for one in page_checked(altered, tmp_path).problems]
    assert any(told in message for message in messages), messages


def test_a_page_with_all_its_digests_changed_still_has_another_record(
    alone: str, tmp_path: Path
) -> None:
    """Its stamp would have to name another record, which is no longer the run's."""
    altered = alone.replace("Tides", "Tidings")
    digest = taken_apart(altered).sha256
    stamp = taken_apart(alone).stamp
    messages = [
        one.message for one in page_checked(altered.replace(stamp.page, digest), tmp_path).problems
    ]
    assert any("which its stamp names" in message for message in messages), messages


def test_other_pages_are_told_apart_from_pages_that_were_changed(tmp_path: Path) -> None:
    with pytest.raises(NoStampError, match="It has no stamp"):
        page_checked("<html>anything</html>", tmp_path)
    path = tmp_path / "binary.html"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(NoPageFileError, match="no page of provenote"):
        verify_page(path, Verified())
