"""What users' code and strangers' requests chose the names and values of, in exports."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from prov.model import ProvDocument
from rocrate.rocrate import ROCrate

from provenance.export.crate import write_crate
from provenance.export.crate_files import Taken, write_zip
from provenance.export.open_lineage import run_events
from provenance.export.prov_json import prov_json
from provenance.export.subject import Subject
from provenance.record import Output, Record, keep_record
from provenance.store import Store

VALUES = {
    "control": "a\x00b\x1b[31mc\x7f\x9b",
    "bidi": "invoice\u202efdp.exe\u2066",
    "cdata": "]]></script><!--",
    "lines": "a\u2028b\x85c\u2029",
    "]]>\u202e\n": "%0d%0a&amp;",
    "#../..": "/etc/passwd",
}
NAMES = [
    "../../outside.txt",
    "/etc/absolute.txt",
    "..\\..\\windows.txt",
    "C:\\drive.txt",
    "..",
    ".",
    "",
    "a/../../b.txt",
    "line\nbreak\x1b[2J.txt",
    "invoice\u202efdp.txt",
    "trailing. /dots. . ./x.txt",
    "]]>.txt",
    "%2e%2e/%2e%2e.txt",
    "ro-crate-metadata.json",
    "é" * 240 + ".parquet",
    "same",
    "same/below.txt",
    "same/below.txt/further.txt",
]


def described(store: Store) -> Iterator[Output]:
    for number, name in enumerate(NAMES):
        blob = store.put_bytes(f"content {number}".encode())
        yield Output(name, blob.sha256, blob.size, "text/plain", name)


@pytest.fixture
def subject(subject_of: Any, store: Store) -> Subject:
    """A run whose first job was called, and left files called, as somebody hostile would."""
    found: Subject = subject_of(params=VALUES)
    jobs = list(found.story.jobs)
    assert jobs[0].record is not None
    outputs = tuple(described(store))
    files = [
        {"path": output.name, "exact": output.sha256, "semantic": output.sha256}
        for output in outputs
    ]
    params = {name: {"type": "str", "value": value} for name, value in VALUES.items()}
    record: Record = replace(
        jobs[0].record,
        outputs=outputs,
        params=params,
        code={**jobs[0].record.code, "files": files},
        environment={**jobs[0].record.environment, "packages": {"]]>\n": "\u202e1"}},
    )
    record_id = keep_record(store, record).sha256
    jobs[0] = replace(jobs[0], name="../stage\n", record=record, record_id=record_id)
    return replace(found, story=replace(found.story, jobs=tuple(jobs)))


def test_no_file_of_a_crate_leaves_its_folder(
    subject: Subject, store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "down" / "crate"
    before = set(tmp_path.rglob("*"))
    files = write_crate(subject, store, folder, Taken())
    made = set(tmp_path.rglob("*")) - before - {folder, *folder.parents}
    assert [path for path in made if folder not in path.parents] == []
    assert json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    assert files.left_out == []
    kept = {(folder / name).read_bytes() for name in files.objects}
    assert {f"content {number}".encode() for number in range(len(NAMES))} <= kept


def test_names_in_a_crate_can_be_extracted_and_read_anywhere(
    subject: Subject, store: Store, tmp_path: Path
) -> None:
    write_crate(subject, store, tmp_path / "crate", Taken())
    stream = io.BytesIO()
    write_zip(tmp_path / "crate", stream)
    with zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "extracted")
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        parts = PurePosixPath(name).parts
        assert not name.startswith("/")
        assert ".." not in parts
        assert name.isprintable()
        assert not set('<>:"|?*\\') & set(name), name
        assert all(part == part.rstrip(". ") and len(part.encode()) < 256 for part in parts)


def test_a_hostile_crate_is_read_by_the_library(
    subject: Subject, store: Store, tmp_path: Path
) -> None:
    write_crate(subject, store, tmp_path / "crate", Taken())
    crate = ROCrate(tmp_path / "crate")
    values = {
        found["name"]: found["value"]
        for found in crate.dereference("#run")["object"]
        if found.type == "PropertyValue"
    }
    assert values == VALUES
    execution = crate.dereference(f"#execution/{subject.story.jobs[0].record_id}")
    assert len(execution["result"]) == len(NAMES)


def test_hostile_values_are_told_as_they_are(subject: Subject) -> None:
    document = json.dumps(prov_json(subject))
    read = ProvDocument.deserialize(content=document, format="json")
    activity = json.loads(document)["activity"][f"run:{subject.story.id}"]
    assert json.loads(activity["provenote:parameters"]) == VALUES
    assert ProvDocument.deserialize(content=read.serialize(format="json"), format="json") == read
    assert run_events(subject)[0]["run"]["facets"]["provenote"]["params"] == VALUES
