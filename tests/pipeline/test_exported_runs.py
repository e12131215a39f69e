"""Exports of runs that were really made: they name what the run stood on, and what it shows."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prov.model import ProvDocument
from rocrate.rocrate import ROCrate

from provenance.export.crate import write_crate
from provenance.export.crate_files import Taken
from provenance.export.open_lineage import run_events
from provenance.export.prov_json import prov_json
from provenance.export.subject import Place, Subject, load_subject
from tests.pipeline.weather import CELL, PROJECT
from tests.support.evaluations import Bench, Told
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]
PARAMETERS = 'day = "2000-01-01"\nlevel = 0.5\ntotal = None'
TELLS_THE_TIME = """\
import time

def build(day):
    return f"{day!r} {time.time_ns()}"
"""


@pytest.fixture
def repository(git_project: MakeRepository) -> Repository:
    return git_project(PROJECT)


def subject_of(bench: Bench, run: Told) -> Subject:
    place = Place("https://reports.example.org", "1.2.3")
    with bench.installation.ledger.reading() as session:
        return load_subject(session, bench.installation.store, run.row.id, place)


def crate_of(bench: Bench, run: Told, folder: Path) -> ROCrate:
    write_crate(subject_of(bench, run), bench.installation.store, folder, Taken())
    return ROCrate(folder)


def prov_of(bench: Bench, run: Told) -> dict[str, Any]:
    document = prov_json(subject_of(bench, run))
    read = ProvDocument.deserialize(content=json.dumps(document), format="json")
    known = {str(found.identifier) for found in read.get_records() if found.is_element()}
    for found in read.get_records():
        if found.is_relation():
            assert {str(value) for _, value in found.formal_attributes[:2]} <= known
    return document


def used(document: dict[str, Any], record: object) -> set[str]:
    """The artifacts that an execution took in."""
    return {
        found["prov:entity"]
        for found in document["used"].values()
        if found["prov:activity"] == f"execution:{record}"
        and found["prov:entity"].startswith(("artifact:", "content:"))
    }


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def rewritten(evaluate: Bench, repository: Repository) -> tuple[Told, Told]:
    """A run, and one whose prose alone was edited since."""
    first = evaluate(repository).run
    repository.commit({"reports/daily.ipynb": notebook("# Words a day", PARAMETERS, CELL)})
    second = evaluate(repository).run
    assert second.row.record == first.row.record
    assert (second.row.html, second.row.notebook) != (first.row.html, first.row.notebook)
    return first, second


def test_a_crate_has_the_page_that_the_run_shows_and_the_one_that_was_executed(
    evaluate: Bench, rewritten: tuple[Told, Told], tmp_path: Path
) -> None:
    first, second = rewritten
    crate = crate_of(evaluate, second, tmp_path / "crate")
    assert (tmp_path / "crate/report.html").read_text() == second.html
    assert sha256((tmp_path / "crate/notebook.ipynb").read_bytes()) == second.row.notebook
    assert crate.dereference("report.html")["sha256"] == second.row.html
    shown = {found.id for found in crate.dereference("#run")["result"]}
    assert shown == {"report.html", "notebook.ipynb"}
    execution = crate.dereference(f"#execution/{second.row.record}")
    made = {found.id: found["sha256"] for found in execution["result"]}
    assert made == {
        "executed/report.html": first.row.html,
        "executed/notebook.ipynb": first.row.notebook,
    }
    assert (tmp_path / "crate/executed/report.html").read_text() == first.html
    rendering = crate.dereference("#rendering")
    assert [found.id for found in rendering["object"]] == ["executed/notebook.ipynb"]
    assert {found.id for found in rendering["result"]} == shown
    crate_of(evaluate, first, tmp_path / "first")
    assert (tmp_path / "first/report.html").read_text() == first.html
    assert not (tmp_path / "first/executed").exists()


def test_prov_and_events_name_the_page_that_the_run_shows(
    evaluate: Bench, rewritten: tuple[Told, Told]
) -> None:
    first, second = rewritten
    document = prov_of(evaluate, second)
    page = document["entity"][f"run:{second.row.id}/report"]
    assert page["provenote:sha256"] == second.row.html
    own = document["entity"][f"artifact:{second.row.record}/html"]
    assert own["provenote:sha256"] == first.row.html
    derived = {
        (found["prov:generatedEntity"], found["prov:usedEntity"])
        for found in document["wasDerivedFrom"].values()
    }
    notebook_executed = f"artifact:{second.row.record}/notebook"
    assert (f"run:{second.row.id}/report", notebook_executed) in derived
    last = run_events(subject_of(evaluate, second))[-1]
    versions = {
        found["name"].rpartition("/")[2]: found["facets"]["version"]["datasetVersion"]
        for found in last["outputs"]
    }
    assert versions == {"html": second.row.html, "notebook": second.row.notebook}
    assert f"run:{first.row.id}/report" not in prov_of(evaluate, first)["entity"]


def test_each_input_names_the_record_that_made_it(evaluate: Bench, repository: Repository) -> None:
    run = evaluate(repository).run
    (told,) = run.record["inputs"]
    assert told["producer_record"] == run.jobs["total"].record
    total = json.loads(evaluate.installation.store.read(str(run.jobs["total"].record)))
    assert total["inputs"][0]["producer_record"] == run.jobs["table"].record


def test_a_forced_sibling_takes_nothing_from_an_earlier_run(
    evaluate: Bench, git_project: MakeRepository, tmp_path: Path
) -> None:
    repository = git_project(PROJECT | {"stages/table.py": TELLS_THE_TIME})
    first = evaluate(repository).run
    before = prov_of(evaluate, first)
    forced = evaluate.execute(evaluate.ask(repository, "daily", force=True))
    assert forced.jobs["table"].key == first.jobs["table"].key
    assert forced.jobs["table"].record != first.jobs["table"].record
    assert prov_of(evaluate, first) == before
    for run in (first, forced):
        artifact = f"artifact:{run.jobs['table'].record}/output"
        assert used(prov_of(evaluate, run), run.jobs["total"].record) == {artifact}
    crate = crate_of(evaluate, first, tmp_path / "crate")
    table = crate.dereference(f"#execution/{first.jobs['table'].record}")
    assert table is not None
    assert crate.dereference(f"#execution/{forced.jobs['table'].record}") is None


@pytest.fixture
def cut_off(evaluate: Bench, repository: Repository) -> tuple[Told, Told]:
    """A run, and one whose first stage was made anew and gave the same bytes."""
    first = evaluate(repository).run
    body = PROJECT["stages/table.py"].replace("{WORDS}", "{WORDS + str()}")
    repository.commit({"stages/table.py": body})
    second = evaluate(repository).run
    assert second.statuses == {"table": "executed", "total": "reused", "report": "reused"}
    return first, second


def test_a_reused_result_stands_on_the_execution_that_it_took_from(
    evaluate: Bench, cut_off: tuple[Told, Told]
) -> None:
    first, second = cut_off
    document = prov_of(evaluate, second)
    then, now = (f"artifact:{run.jobs['table'].record}/output" for run in (first, second))
    assert used(document, second.jobs["total"].record) == {then}
    made = {found["prov:entity"]: found for found in document["wasGeneratedBy"].values()}
    assert made[then]["prov:activity"] == f"execution:{first.jobs['table'].record}"
    (same,) = document["alternateOf"].values()
    assert (same["prov:alternate1"], same["prov:alternate2"]) == (now, then)
    informants = {found["prov:informant"] for found in document["wasInformedBy"].values()}
    assert f"execution:{first.jobs['table'].record}" not in informants


def test_a_crate_tells_of_both_executions_that_gave_the_same_file(
    evaluate: Bench, cut_off: tuple[Told, Told], tmp_path: Path
) -> None:
    first, second = cut_off
    crate = crate_of(evaluate, second, tmp_path / "crate")
    actions = [crate.dereference(f"#execution/{run.jobs['table'].record}") for run in cut_off]
    assert {found["result"][0].id for found in actions} == {"stages/table/output.txt"}
    tools = [found["instrument"] for found in actions]
    assert tools[0].id != tools[1].id
    texts = [
        next(part for part in tool["hasPart"] if part["name"] == "stages/table.py")
        for tool in tools
    ]
    assert texts[0]["sha256"] != texts[1]["sha256"]
    for found, run in zip(actions, (first, second), strict=True):
        path = tmp_path / "crate" / found["subjectOf"].id
        assert sha256(path.read_bytes()) == run.jobs["table"].record
    organised = crate.dereference("#organised")["object"]
    assert actions[0].id not in {control["object"].id for control in organised}


def test_the_story_of_a_run_names_the_execution_that_it_took_from(
    evaluate: Bench, cut_off: tuple[Told, Told]
) -> None:
    from provenance.explain.load import tell_run

    first, second = cut_off
    with evaluate.installation.ledger.reading() as session:
        lines = tell_run(session, evaluate.installation.store, second.row.id).lines
        before = tell_run(session, evaluate.installation.store, first.row.id).lines
    told = next(line.sentence for line in lines if (line.topic, line.subject) == ("stage", "total"))
    record = str(first.jobs["table"].record)
    assert f"it took table from record {record[:12]}, which has the same content" in told
    assert not any("it took" in line.sentence for line in before)


def test_a_record_whose_maker_is_lost_is_exported_all_the_same(
    evaluate: Bench, cut_off: tuple[Told, Told], tmp_path: Path
) -> None:
    first, second = cut_off
    evaluate.installation.store.path(str(first.jobs["table"].record)).unlink()
    document = prov_of(evaluate, second)
    record = str(first.jobs["table"].record)
    total = json.loads(evaluate.installation.store.read(str(second.jobs["total"].record)))
    content = f"content:{total['inputs'][0]['sha256']}"
    assert used(document, second.jobs["total"].record) == {content}
    assert document["entity"][content]["provenote:record"] == record
    crate_of(evaluate, second, tmp_path / "crate")
