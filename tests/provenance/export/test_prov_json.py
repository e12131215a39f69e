"""PROV-JSON, read again with the library of the W3C model."""

import json

import pytest
from prov.model import (
    ProvActivity,
    ProvAgent,
    ProvAssociation,
    ProvCommunication,
    ProvDelegation,
    ProvDerivation,
    ProvDocument,
    ProvEntity,
    ProvGeneration,
    ProvUsage,
)

from provenance.export.prov_json import prov_json
from tests.support.stories import BATCH, record_ids


@pytest.fixture
def subject(subject_of):
    return subject_of()


@pytest.fixture
def document(subject) -> ProvDocument:
    return ProvDocument.deserialize(content=json.dumps(prov_json(subject)), format="json")


def names(document: ProvDocument, kind: type) -> set[str]:
    return {str(found.identifier) for found in document.get_records(kind)}


def relations(document: ProvDocument, kind: type) -> set[tuple[str, ...]]:
    """The two ends of each relation of a kind."""
    return {
        tuple(str(value) for _, value in found.formal_attributes[:2])
        for found in document.get_records(kind)
    }


def test_each_job_and_the_run_are_activities_with_their_times(document, subject) -> None:
    records = {f"execution:{record}" for record in record_ids(subject.story).values()}
    assert names(document, ProvActivity) == records | {f"run:{subject.story.id}"}
    run = document.get_record(f"run:{subject.story.id}")[0]
    assert run.get_startTime() == subject.story.run.started_at
    assert run.get_endTime() == subject.story.run.finished_at
    assert all(found.get_endTime() for found in document.get_records(ProvActivity))


def test_artifacts_code_environment_and_batches_are_entities(document) -> None:
    kinds = {}
    for found in document.get_records(ProvEntity):
        (kind,) = {str(value) for value in found.get_asserted_types()}
        kinds.setdefault(kind, []).append(str(found.identifier))
    assert {kind: len(found) for kind, found in kinds.items()} == {
        "provenote:Artifact": 5,  # one of each stage; notebook, page and file of the report
        "provenote:Code": 4,  # the query, two files, one that was only seen
        "provenote:Batch": 1,
        "provenote:Source": 1,
        "provenote:Environment": 1,
    }
    assert kinds["provenote:Batch"] == [f"batch:{BATCH}"]


def test_the_actor_and_provenote_are_agents(document, subject) -> None:
    person = "agent:person/ada%20%3Cada%40example.org%3E"
    assert names(document, ProvAgent) == {"agent:provenote", person}
    assert relations(document, ProvDelegation) == {("agent:provenote", person)}
    associated = relations(document, ProvAssociation)
    assert (f"run:{subject.story.id}", person) in associated
    assert len(associated) == 4


def test_every_output_was_generated_by_the_job_that_made_it(document, subject) -> None:
    generated = relations(document, ProvGeneration)
    assert len(generated) == 5
    ids = record_ids(subject.story)
    assert (f"artifact:{ids['report']}/html", f"execution:{ids['report']}") in generated
    spaced = f"artifact:{ids['report']}/file%3Amaps%2Fa%20b.csv"
    assert (spaced, f"execution:{ids['report']}") in generated


def test_what_a_job_used_is_what_the_job_before_it_generated(document, subject) -> None:
    ids, used = record_ids(subject.story), relations(document, ProvUsage)
    assert (f"execution:{ids['features']}", f"artifact:{ids['departures']}/output") in used
    assert (f"execution:{ids['features']}", f"batch:{BATCH}") in used
    assert (f"execution:{ids['report']}", f"artifact:{ids['features']}/output") in used
    assert (f"execution:{ids['departures']}", "source:replica") in used
    assert not any("none.toml" in entity for _, entity in used)


def test_results_are_derived_from_data_all_the_way_back(document, subject) -> None:
    ids, derived = record_ids(subject.story), relations(document, ProvDerivation)
    features = f"artifact:{ids['features']}/output"
    assert derived == {
        (features, f"artifact:{ids['departures']}/output"),
        (features, f"batch:{BATCH}"),
        *((f"artifact:{ids['report']}/{name}", features)
          for name in ("notebook", "html", "file%3Amaps%2Fa%20b.csv")),
    }  # fmt: skip


def test_the_run_was_informed_by_each_of_its_jobs(document, subject) -> None:
    run = f"run:{subject.story.id}"
    told = {(run, f"execution:{record}") for record in record_ids(subject.story).values()}
    assert relations(document, ProvCommunication) == told


def test_nothing_is_related_that_is_not_described(document) -> None:
    known = {str(found.identifier) for found in document.get_records() if found.is_element()}
    for found in document.get_records():
        if found.is_relation():
            assert {str(value) for _, value in found.formal_attributes[:2]} <= known


def test_the_library_writes_what_it_has_read(document) -> None:
    again = ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
    assert again == document
    assert "prefix provenote <urn:provenote:vocabulary:>" in document.get_provn()
