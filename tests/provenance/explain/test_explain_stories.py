"""Runs that cannot simply be compared, data that somebody published, and stories of one run."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from provenance.explain.model import Kind
from provenance.ledger.data_tables import Batch, Dataset, Partition, PointerEvent
from provenance.ledger.ids import new_id
from provenance.ledger.trace_tables import KeyEvent
from provenance.story import JobFacts
from tests.pipeline.weather import MANIFEST, PROJECT
from tests.provenance.explain.conftest import Explainer, MakeRepository, only, with_job
from tests.support.repository import notebook


def test_a_run_that_failed_is_told_with_where_to_look(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    before = repository.head
    repository.commit({"stages/total.py": "def build(table):\n    return 1 / 0\n"})
    found = explainer.explain(first, explainer.push(repository))
    assert found.causes == ()
    assert "The second run came to no report." in found.sentence
    assert "the verdict is error instead of passed" in found.sentence
    told, where = found.notes
    assert told == (
        "The second run came to no report: stage total failed: ZeroDivisionError: division by zero."
    )
    assert f"git diff {before[:12]} {repository.head[:12]}" in where


def test_runs_of_different_reports_are_said_to_be_such(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    more = '\n[reports.weekly]\ntemplate = "reports/weekly.ipynb"\ninputs = { table = "table" }\n'
    template = notebook("day = ''\ntable = None", "print(open(table).read())")
    files = {"provenote.toml": MANIFEST + more, "reports/weekly.ipynb": template}
    repository = git_project(PROJECT | files)
    explainer.push(repository)
    daily = explainer.ask(repository, "daily")
    weekly = explainer.ask(repository, "weekly", day="2013-02-28")
    found = explainer.explain(daily, weekly)
    assert found.sentence.startswith("These are runs of different reports, daily and weekly")
    cause = only(found)
    assert (cause.subject, cause.where) == ("param day", ("table",))
    assert {job.name: job.why for job in found.jobs} == {
        "table": "param day",
        "total": "only the first run has it",
        "report": "these are different reports",
    }


def test_one_and_the_same_run_is_said_to_be_such(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    run = explainer.push(git_project(PROJECT))
    assert explainer.explain(run, run).sentence == "This is one and the same run."


def test_a_lost_record_is_told_and_the_rest_is_compared(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    repository.commit({"stages/total.py": "def build(table):\n    return '7'\n"})
    second = explainer.push(repository)
    record = explainer.bench.run(first).jobs["report"].record
    explainer.bench.installation.store.path(str(record)).unlink()
    found = explainer.explain(first, second)
    assert only(found).subject == "stages/total.py"
    assert any(
        note.startswith("The record of report of the first run is no longer in the store")
        for note in found.notes
    )
    assert {job.name: job.why for job in found.jobs}["report"] == "a record is lost"


def test_without_text_in_the_store_the_file_is_named_all_the_same(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    repository.commit({"stages/helper.py": 'WORDS = "fog"\n'})
    second = explainer.push(repository)
    store = explainer.bench.installation.store
    for run in (first, second):
        record = explainer.story(run).stages["table"]
        for file in record.code["files"]:
            store.path(file["exact"]).unlink(missing_ok=True)
    cause = only(explainer.explain(first, second))
    assert (cause.subject, cause.sentence) == ("stages/helper.py", "stages/helper.py changed.")
    assert cause.diff is None


def reading_batch(batch: str, sha256: str, partition: str = "2013-01-31") -> Any:
    def change(job: JobFacts) -> JobFacts:
        assert job.record is not None
        told = {
            "name": "sold",
            "sha256": sha256,
            "batch": batch,
            "dataset": "sold_items",
            "partition": partition,
            "producer": f"dataset:sold_items/{partition}",
        }
        preimage = {**job.record.preimage, "inputs": {"sold": sha256}}
        record = replace(job.record, inputs=(told,), key=sha256, preimage=preimage)
        return replace(job, key=sha256, record=record)

    return change


def publish(explainer: Explainer, number: int, partition: Partition, **values: Any) -> str:
    facts = {"state": "committed", "size": 10, "media_type": "text/csv", "filename": "a.csv"}
    batch = Batch(
        id=new_id("batch"),
        partition_id=partition.id,
        number=number,
        sha256=f"{number:064x}",
        actor="ada",
        **(facts | values),
    )
    event = PointerEvent(
        partition_id=partition.id,
        version=number,
        op="publish",
        to_batch=batch.id,
        actor="grace",
        reason="the till of shop 3 was missing",
        at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
    )
    with explainer.bench.installation.ledger.writing() as session:
        session.add(batch)
        session.flush()
        session.add(event)
    return batch.id


def test_another_batch_is_told_with_who_published_it_and_why(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first, second = explainer.push(repository), explainer.ask(repository)
    dataset = Dataset(id=new_id("dataset"), kind="data", name="sold_items", created_by="ada")
    partition = Partition(id=new_id("partition"), dataset_id=dataset.id, name="2013-01-31")
    with explainer.bench.installation.ledger.writing() as session:
        session.add(dataset)
        session.flush()
        session.add(partition)
    old = publish(explainer, 1, partition, rows=842)
    new = publish(explainer, 2, partition, rows=901, schema_change="price: int64 → double")
    found = explainer.compare(
        with_job(explainer.story(first), "table", reading_batch(old, f"{1:064x}")),
        with_job(explainer.story(second), "table", reading_batch(new, f"{2:064x}")),
    )
    cause = only(found)
    assert (cause.kind, cause.subject) == (Kind.DATA, "dataset sold_items/2013-01-31")
    assert cause.sentence == (
        "The dataset sold_items/2013-01-31 is another batch: "
        f"batch 1, batch_…{old[-6:]} → batch 2, batch_…{new[-6:]}, 842 → 901 rows. "
        "Its columns changed: price: int64 → double. "
        "Published by grace on 2026-03-01 12:30 UTC: the till of shop 3 was missing."
    )
    assert found.sentence.startswith("The dataset sold_items/2013-01-31 is another batch")


def test_another_batch_with_the_same_content_is_no_cause(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first, second = explainer.push(repository), explainer.ask(repository)
    found = explainer.compare(
        with_job(explainer.story(first), "table", reading_batch("batch_1", "e" * 64)),
        with_job(explainer.story(second), "table", reading_batch("batch_2", "e" * 64)),
    )
    assert found.causes == ()
    assert found.notes == ("Another batch with the same content: sold.",)


def test_another_dataset_in_its_place_is_told_with_both_names(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first, second = explainer.push(repository), explainer.ask(repository)

    def as_model(job: JobFacts) -> JobFacts:
        told = reading_batch("batch_000002", "d" * 64)(job)
        model = {"kind": "model", "dataset": "delay", "number": 3}
        inputs = ({**told.record.inputs[0], **model},)
        return replace(told, record=replace(told.record, inputs=inputs))

    found = explainer.compare(
        with_job(explainer.story(first), "table", reading_batch("batch_000001", "e" * 64)),
        with_job(explainer.story(second), "table", as_model),
    )
    assert only(found).sentence == (
        "It stands on model delay (version 3, batch_…000002) instead of "
        "dataset sold_items/2013-01-31 (batch_…000001)."
    )


def test_a_parameter_that_chooses_the_partition_is_the_cause_and_not_the_data(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    explainer.push(repository)
    runs = [explainer.ask(repository, day=day) for day in ("2013-01-31", "2013-02-28")]
    old, new = map(explainer.story, runs)
    february = reading_batch("batch_000002", "d" * 64, "2013-02-28")
    found = explainer.compare(
        with_job(old, "total", reading_batch("batch_000001", "e" * 64)),
        with_job(new, "total", february),
    )
    cause = only(found)
    assert cause.sentence == "The parameter day changed: 2013-01-31 → 2013-02-28."
    assert cause.where == ("table", "total", "report")
    assert found.jobs[1].why == "param day"


def test_other_partitions_that_no_parameter_chose_are_a_cause_in_the_data(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first, second = explainer.push(repository), explainer.ask(repository)
    february = reading_batch("batch_000002", "d" * 64, "2013-02-28")
    cause = only(
        explainer.compare(
            with_job(explainer.story(first), "table", reading_batch("batch_000001", "e" * 64)),
            with_job(explainer.story(second), "table", february),
        )
    )
    assert (cause.kind, cause.subject) == (Kind.DATA, "dataset sold_items")
    assert cause.sentence == (
        "Other partitions of dataset sold_items are read: 2013-01-31 → 2013-02-28."
    )


def test_a_key_that_once_gave_other_outputs_is_odd(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    job = explainer.bench.run(first).jobs["total"]
    event = KeyEvent(
        id=new_id("event"), key=job.key, kind="nondeterministic", record="a" * 64, other="b" * 64
    )
    with explainer.bench.installation.ledger.writing() as session:
        session.add(event)
    odd = [line for line in explainer.tell(first).lines if line.topic == "odd"]
    assert [line.subject for line in odd] == ["total"]
    second = explainer.ask(repository)
    assert "total has given different outputs from one key before." in (
        explainer.explain(first, second).notes
    )


def test_the_story_of_a_run_goes_from_what_was_asked_to_what_came_of_it(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    explainer.push(repository)
    repository.commit({"stages/total.py": "def build(table):\n    return '7'\n"}, "Count to seven")
    told = explainer.tell(explainer.push(repository))
    assert told.sentence == "weather / daily passed: 2 jobs were executed, 1 reused."
    topics = list(dict.fromkeys(line.topic for line in told.lines))
    assert topics == ["asked", "code", "stage", "environment", "result"]
    lines = {line.subject: line.sentence for line in told.lines}
    assert lines["param day"] == "2013-01-31 (default)"
    assert lines["commit"] == "Count to seven, by Ada, on main"
    assert lines["table"].startswith("reused: unchanged since")
    assert lines["total"].endswith("code: stages/total.py changed")
    assert lines["words"] == "7 1"
    assert lines["check held"] == "there are words"


def test_the_story_of_a_run_that_failed_ends_with_its_error(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    broken = PROJECT | {"stages/total.py": "def build(table):\n    return 1 / 0\n"}
    told = explainer.tell(explainer.push(git_project(broken)))
    assert told.sentence == (
        "weather / daily came to no report (error). ZeroDivisionError: division by zero"
    )
    assert told.lines[-1].subject == "error"


def test_imports_that_are_decided_at_run_time_are_odd(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    table = (
        "import importlib\ndef build(day):\n    return importlib.import_module(str('os')).name\n"
    )
    told = explainer.tell(explainer.push(git_project(PROJECT | {"stages/table.py": table})))
    assert [line.subject for line in told.lines if line.topic == "odd"] in (
        ["table"],
        ["table"] * 2,
    )
