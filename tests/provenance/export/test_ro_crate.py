"""RO-Crates, read again with the library of the format."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest
from rocrate.rocrate import ROCrate

from provenance.export.crate import write_crate
from provenance.export.crate_files import MIB, Taken, write_zip
from tests.support.stories import CODE, record_ids


@pytest.fixture
def subject(subject_of):
    return subject_of()


@pytest.fixture
def folder(subject, store, tmp_path) -> Path:
    write_crate(subject, store, tmp_path / "crate", Taken())
    return tmp_path / "crate"


@pytest.fixture
def crate(folder: Path) -> ROCrate:
    return ROCrate(folder)


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def kinds(entity) -> set[str]:
    found = entity.type
    return {found} if isinstance(found, str) else set(found)


def entities(crate: ROCrate, kind: str) -> list:
    return [found for found in crate.get_entities() if kind in kinds(found)]


def test_the_crate_says_which_profiles_it_keeps(crate: ROCrate) -> None:
    assert {found.id for found in crate.root_dataset["conformsTo"]} == {
        "https://w3id.org/ro/wfrun/process/0.5",
        "https://w3id.org/ro/wfrun/workflow/0.5",
        "https://w3id.org/ro/wfrun/provenance/0.5",
        "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
    }
    assert crate.root_dataset["datePublished"]
    assert all(crate.root_dataset[name] for name in ("name", "description", "license"))
    assert kinds(crate.mainEntity) >= {"File", "SoftwareSourceCode", "ComputationalWorkflow"}


def test_the_files_are_there_and_are_what_is_said_of_them(crate: ROCrate, folder: Path) -> None:
    assert files_in(folder) >= {
        "report.html", "notebook.ipynb", "files/maps/a b.csv", "stages/features/output.csv",
        "stages/departures/output.csv", "records/report.json", "code/stages/features.py",
        "code/queries/d.sql", "ro-crate-metadata.json", "workflow.json",
    }  # fmt: skip
    assert (folder / "code/stages/features.py").read_bytes() == CODE
    inside = [found for found in entities(crate, "File") if not found.id.startswith("urn:")]
    for found in inside:
        path = folder / unquote(found.id)
        assert path.is_file()
        if "sha256" in found.properties():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == found["sha256"]
    described = {unquote(found.id) for found in inside}
    assert described == files_in(folder) - {"ro-crate-metadata.json"}


def test_each_job_is_an_action_of_a_step_of_the_workflow(crate: ROCrate, subject) -> None:
    actions = {found.id: found for found in entities(crate, "CreateAction")}
    records = record_ids(subject.story)
    assert set(actions) == {"#run", *(f"#execution/{record}" for record in records.values())}
    steps = {found.id for found in crate.mainEntity["step"]}
    (organised,) = entities(crate, "OrganizeAction")
    assert organised["result"].id == "#run"
    controls = organised["object"]
    assert {found["instrument"].id for found in controls} == steps
    assert {found["object"].id for found in controls} == set(actions) - {"#run"}
    tools = {found.id for found in crate.mainEntity["hasPart"]}
    assert {found["instrument"]["workExample"].id for found in controls} == tools
    assert {actions[name]["instrument"].id for name in set(actions) - {"#run"}} == tools
    mentioned = {found.id for found in crate.root_dataset["mentions"]}
    assert mentioned == {*actions, organised.id}


def test_the_run_tells_what_went_in_and_what_came_out(crate: ROCrate, subject) -> None:
    run = crate.dereference("#run")
    assert run["instrument"].id == crate.mainEntity.id
    assert run["agent"]["name"] == "ada <ada@example.org>"
    assert run["startTime"] == subject.story.run.started_at.isoformat()
    assert {found.id for found in run["result"]} == {
        "report.html", "notebook.ipynb", "files/maps/a%20b.csv",
    }  # fmt: skip
    values = {f["name"]: f for f in run["object"] if "PropertyValue" in kinds(f)}
    assert {name: found["value"] for name, found in values.items()} == {
        "day": "2013-01-31",
        "n": "3",
    }
    assert values["n"]["exampleOfWork"]["additionalType"] == "Integer"
    assert {found.id for found in crate.mainEntity["input"]} == {"#parameter/day", "#parameter/n"}
    (batch,) = [found for found in run["object"] if "File" in kinds(found)]
    assert batch["name"] == "dataset:sold_items/2013-01-31"


def test_every_reference_leads_to_an_entity(folder: Path) -> None:
    graph = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    known = {found["@id"] for found in graph}
    assert len(known) == len(graph)
    outside = ("http://schema.org/", "https://w3id.org/ro/crate/")
    for found in graph:
        for value in found.values():
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, dict):
                    assert part["@id"] in known or part["@id"].startswith(outside), part


def test_without_data_the_outputs_stay_outside(subject, store, tmp_path) -> None:
    folder = tmp_path / "small"
    files = write_crate(subject, store, folder, Taken(data=False))
    assert not any(name.startswith(("stages/", "files/")) for name in files_in(folder))
    assert {"report.html", "notebook.ipynb", "records/report.json"} <= files_in(folder)
    assert ("stages/features/output.csv", "left out as asked for") in files.left_out
    output = subject.story.stages["features"].outputs[0]
    assert ROCrate(folder).dereference(f"urn:sha256:{output.sha256}")["sha256"] == output.sha256


def test_a_file_beyond_the_limit_stays_outside(subject, store, tmp_path) -> None:
    files = write_crate(subject, store, tmp_path / "small", Taken(largest=14))
    told = f"larger than {14 / MIB:g} MiB"
    assert ("stages/departures/output.csv", told) in files.left_out
    assert (tmp_path / "small" / "stages/features/output.csv").is_file()


def test_a_file_that_is_lost_is_described_all_the_same(subject, store, tmp_path) -> None:
    store.path(subject.story.stages["features"].outputs[0].sha256).unlink()
    files = write_crate(subject, store, tmp_path / "crate", Taken())
    assert files.left_out == [("stages/features/output.csv", "no longer in the store")]


def test_the_same_run_gives_the_same_zip_file(folder: Path) -> None:
    first, second = io.BytesIO(), io.BytesIO()
    write_zip(folder, first)
    write_zip(folder, second)
    assert first.getvalue() == second.getvalue()
    with zipfile.ZipFile(first) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == files_in(folder)


def test_a_run_that_failed_says_so(subject_of, store, tmp_path) -> None:
    subject = subject_of("error", error={"message": "the cell raised"})
    write_crate(subject, store, tmp_path / "crate", Taken())
    crate = ROCrate(tmp_path / "crate")
    run = crate.dereference("#run")
    assert run["error"] == "the cell raised"
    status = {found.id: _status(found) for found in entities(crate, "CreateAction")}
    ids = record_ids(subject.story)
    assert status["#run"] == status[f"#execution/{ids['report']}"] == "FailedActionStatus"
    assert status[f"#execution/{ids['features']}"] == "CompletedActionStatus"


def _status(action) -> str:
    found = action["actionStatus"]
    return str(getattr(found, "id", found)).rpartition("/")[2]
