"""From a thing back to the reports that stand on it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.orm import Session

from provenance.identity.key import Preimage
from provenance.ledger.data_tables import Batch, Dataset, Partition
from provenance.ledger.engine import Ledger
from provenance.ledger.ids import new_id
from provenance.ledger.intake import case_key
from provenance.ledger.queries.projects import UnknownProjectError
from provenance.ledger.queries.used_by import UnknownThingError, WrongDigestError, used_by
from provenance.ledger.queries.used_things import Thing, UsedBy, Wanted
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Project, RunJob
from provenance.ledger.trace_tables import RecordUse
from provenance.ledger.uses import LONGEST_NAME, remember_uses, uses_of
from provenance.record import Output, Record
from tests.provenance.making import record_of
from tests.support.rows import add_evaluation, add_project, add_runs

FILE = {"path": "stages/features.py", "exact": "1" * 64, "semantic": "2" * 64}


def digest_of(number: int) -> str:
    return f"{number:08x}" * 8


def made(name: str, **values: Any) -> Record:
    """Return a record that reads ``in`` and leaves ``out``, where given; of one package."""
    environment: dict[str, object] = {"distributions": {"pandas": "2.2.3 record:00ff"}}
    preimage = Preimage("python", name, {}, {}, {}, (), environment)
    output = values.pop("out", None)
    outputs = (Output("output", output, 1, "text/plain", "output.txt"),) if output else ()
    facts = {"preimage": preimage.to_json(), "code": {"files": [FILE]}} | values
    return record_of("a" * 64, *outputs, **facts)


@dataclass
class World:
    """A ledger with runs whose jobs stand on records."""

    ledger: Ledger
    project: Project

    def keep(self, record_id: str, record: Record) -> str:
        with self.ledger.writing() as session:
            remember_uses(session, record_id, record)
        return record_id

    def run(self, *records: str, case: str = "only", **values: Any) -> str:
        """Write a finished run whose stages stand on *records*, the last being its report."""
        params = {"case": case}
        facts = {"status": Status.FINISHED, "verdict": Verdict.PASSED, "params": params}
        facts |= {"case": params, "case_key": case_key(params), "record": records[-1]}
        evaluation = add_evaluation(self.ledger, self.project)
        (run_id,) = add_runs(self.ledger, evaluation, **(facts | values))
        with self.ledger.writing() as session:
            for place, record in enumerate(records):
                stage = "report" if place == len(records) - 1 else f"stage{place}"
                row = {"key": record, "status": "executed", "sentence": "", "seconds": 0.1}
                session.add(
                    RunJob(run_id=run_id, position=place, stage=stage, record=record, **row)
                )
        return run_id

    def ask(self, kind: Thing, name: str, project: str | None = None) -> UsedBy:
        with self.ledger.reading() as session:
            return used_by(session, Wanted(kind, name, project))

    def runs(self, kind: Thing, name: str, project: str | None = None) -> list[str]:
        return [run.id for found in self.ask(kind, name, project).reports for run in found.runs]

    def batch(self, sha256: str, record: str | None) -> str:
        dataset = Dataset(id=new_id("dataset"), kind="data", name=new_id("d"), created_by="ada")
        partition = Partition(id=new_id("partition"), dataset_id=dataset.id, name="main")
        batch = Batch(
            id=new_id("batch"),
            partition_id=partition.id,
            number=1,
            state="committed",
            sha256=sha256,
            size=1,
            media_type="text/csv",
            filename="a.csv",
            record=record,
            actor="ada",
        )
        with self.ledger.writing() as session:
            for row in (dataset, partition, batch):
                session.add(row)
                session.flush()
        return batch.id


@pytest.fixture
def world(ledger: Ledger) -> World:
    return World(ledger, add_project(ledger))


def test_a_record_is_told_as_all_that_it_stands_on_and_made() -> None:
    record = made(
        "features",
        out="d" * 64,
        code={"files": [FILE], "observed": {"data/x.csv": None}, "source": "replica"},
        inputs=(
            {"name": "sold", "sha256": "c" * 64, "batch": "batch_1", "producer_record": None},
            {"name": "rain", "sha256": "b" * 64, "producer_record": "a" * 64},
        ),
    )
    told = {(row.kind, row.name): row.digest for row in uses_of(record, "r" * 64)}
    assert told == {
        ("file", "stages/features.py"): "1" * 64,
        ("file", "data/x.csv"): "",
        ("input", "sold"): "c" * 64,
        ("batch", "batch_1"): "c" * 64,
        ("input", "rain"): "b" * 64,
        ("producer", "rain"): "a" * 64,
        ("output", "output"): "d" * 64,
        ("package", "pandas"): "2.2.3",
        ("source", "replica"): "",
    }


def test_remembering_twice_changes_nothing(world: World) -> None:
    record = made("features", out="d" * 64)
    world.keep("a" * 64, record)
    world.keep("a" * 64, record)
    with world.ledger.reading() as session:
        assert session.scalar(select(func.count()).select_from(RecordUse)) == 3


def test_names_that_no_database_takes_are_remembered_as_far_as_it_can(world: World) -> None:
    path = "\0\ud800" + "ä" * 5_000
    world.keep("a" * 64, made("features", code={"files": [{**FILE, "path": path}]}))
    with world.ledger.reading() as session:
        names = session.scalars(select(RecordUse.name).where(RecordUse.kind == "file"))
        assert [len(name) for name in names] == [LONGEST_NAME]


def test_a_file_leads_to_the_runs_whose_stage_imported_it_newest_first(world: World) -> None:
    stage = world.keep("a" * 64, made("features", out="d" * 64))
    report = world.keep("b" * 64, made("daily", code={"files": []}))
    other = world.keep("c" * 64, made("other", code={"files": []}))
    first, second = world.run(stage, report), world.run(stage, report)
    world.run(other)
    assert world.runs("file", "./stages/features.py") == [second, first]
    (found,) = world.ask("file", "stages/features.py").reports
    assert found.runs[0].through == ("stage0",)


def test_it_is_told_whether_the_latest_run_of_each_case_stands_on_it_still(world: World) -> None:
    old = world.keep("a" * 64, made("features"))
    new = world.keep("b" * 64, made("features", code={"files": []}))
    world.run(old, case="mended")
    mended = world.run(new, case="mended")
    stale = world.run(old, case="stale")
    world.run(new, case="stale", verdict=Verdict.CANCELLED)
    found = world.ask("record", old)
    (report,) = found.reports
    assert {(case.latest, case.stands) for case in report.cases} == {(mended, False), (stale, True)}
    assert report.stands
    assert found.sentence == (
        "1 report (2 runs) stands on the record aaaaaaaaaaaa; the latest run does in 1 of 2 cases."
    )


def test_a_package_is_found_in_any_version_or_in_one(world: World) -> None:
    run = world.run(world.keep("a" * 64, made("features")))
    assert world.runs("package", "Pandas") == [run]
    assert world.runs("package", "pandas==2.2.3") == [run]
    with pytest.raises(UnknownThingError, match=r"version '1\.0' of pandas") as told:
        world.ask("package", "pandas==1.0")
    assert told.value.hint == "Known versions: 2.2.3."


def test_an_artifact_leads_to_those_that_read_it_by_the_beginning_of_its_digest(
    world: World,
) -> None:
    digest = "5f" * 32
    maker = world.keep("a" * 64, made("features", out=digest))
    reader = world.keep("b" * 64, made("daily", inputs=({"name": "f", "sha256": digest},)))
    run = world.run(maker, reader)
    world.run(maker, world.keep("c" * 64, made("other")))
    found = world.ask("artifact", digest[:10])
    assert found.name == digest
    assert found.made_by == (maker,)
    assert [one.id for report in found.reports for one in report.runs] == [run]


def test_a_batch_leads_on_through_the_batches_that_were_made_from_it(world: World) -> None:
    raw = world.batch("11" * 32, None)
    cleaned = ({"name": "raw", "sha256": "11" * 32, "batch": raw},)
    clean = world.keep("a" * 64, made("clean", out="22" * 32, inputs=cleaned))
    step = ({"name": "clean", "sha256": "22" * 32},)
    store = world.keep("b" * 64, made("store", out="33" * 32, inputs=step))
    publisher = world.run(clean, store, case="publishes")
    derived = world.batch("33" * 32, store)
    read = ({"name": "derived", "sha256": "33" * 32, "batch": derived},)
    reader = world.run(world.keep("c" * 64, made("reads", inputs=read)), case="reads")
    world.run(world.keep("e" * 64, made("unrelated")), case="else")
    found = world.ask("batch", raw)
    assert found.batches == (derived,)
    assert {run.id for report in found.reports for run in report.runs} == {publisher, reader}


def test_a_batch_that_nobody_reads_is_known_and_used_by_nothing(world: World) -> None:
    batch = world.batch("11" * 32, None)
    assert world.ask("batch", batch).sentence == f"No report stands on the batch {batch}."


def test_only_the_reports_of_one_project_are_told_if_asked(world: World) -> None:
    record = world.keep("a" * 64, made("features"))
    here = world.run(record)
    elsewhere = World(world.ledger, add_project(world.ledger))
    there = elsewhere.run(record)
    assert world.runs("file", FILE["path"], world.project.name) == [here]
    assert set(world.runs("file", FILE["path"])) == {here, there}
    with pytest.raises(UnknownProjectError):
        world.ask("file", FILE["path"], "nowhere")


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("file", "features.py", "stages/features.py"),
        ("file", "stages/feature.py", "stages/features.py"),
        ("package", "panda", "pandas"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    world: World, kind: Thing, name: str, near: str
) -> None:
    world.keep("a" * 64, made("features"))
    with pytest.raises(UnknownThingError) as caught:
        world.ask(kind, name)
    assert caught.value.hint == f"Did you mean {near!r}?"


def test_of_many_names_the_same_file_elsewhere_is_found_and_few_are_listed(world: World) -> None:
    rows = [
        {"record": digest_of(n), "kind": "file", "name": f"{n:04}", "digest": ""}
        for n in range(2_100)
    ]
    rows.append({"record": digest_of(1), "kind": "file", "name": "zz/one.py", "digest": ""})
    with world.ledger.writing() as session:
        session.execute(insert(RecordUse), rows)
    hints = []
    for name in ("stages/one.py", "stages/ONE.py", "e.py", "nothing like it"):
        with pytest.raises(UnknownThingError) as caught:
            world.ask("file", name)
        hints.append(caught.value.hint)
    assert hints[0] == "Did you mean 'zz/one.py'?"
    for hint in hints[1:]:
        assert hint.startswith("Known: 0000, 0001, ")
        assert hint.endswith(", 0019 and 1980 more, and those after them.")


def test_many_batches_are_followed_by_a_few_statements(world: World) -> None:
    source = world.keep("a" * 64, made("features"))
    readers = set()
    for number in range(12):
        digest = digest_of(number)
        maker = world.keep(digest_of(100 + number), made("maker", out=digest))
        batch = world.batch(digest, maker)
        told = ({"name": "sold", "sha256": digest, "batch": batch},)
        reader = world.keep(digest_of(200 + number), made("reads", inputs=told, code={}))
        readers.add(world.run(reader, case=str(number)))
    world.run(source)
    asked: list[str] = []
    with world.ledger.reading() as session, planning(session, asked):
        found = used_by(session, Wanted("file", FILE["path"]))
    assert readers <= {run.id for report in found.reports for run in report.runs}
    assert len(found.batches) == 12
    assert len(asked) < 12


@pytest.mark.parametrize("name", ["abcdef0", "not a digest", "f" * 65, ""])
def test_a_digest_has_at_least_eight_digits(world: World, name: str) -> None:
    with pytest.raises(WrongDigestError):
        world.ask("artifact", name)


def test_a_digest_that_fits_several_things_is_refused(world: World) -> None:
    world.keep("a" * 64, made("one", out="abcdef01" + "0" * 56))
    world.keep("b" * 64, made("two", out="abcdef01" + "1" * 56))
    with pytest.raises(WrongDigestError, match="Several digests begin with abcdef01"):
        world.ask("artifact", "abcdef01")


def test_the_answer_is_plain_json(world: World) -> None:
    world.run(world.keep("a" * 64, made("features")))
    told = json.loads(json.dumps(world.ask("package", "pandas").as_json()))
    assert told["reports"][0]["stands"] is True
    assert set(told) == {"kind", "name", "sentence", "reports", "made_by", "batches"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("file", "file42"),
        ("package", "package42"),
        ("batch", "batch_42"),
        ("artifact", digest_of(42)),
        ("artifact", digest_of(42)[:8]),
        ("record", digest_of(42)),
    ],
)
def test_no_question_reads_all_rows(world: World, kind: Thing, name: str) -> None:
    things = ("file", "input", "output", "package", "batch")
    rows = [
        {"record": digest_of(n), "kind": of, "name": f"{of}{n}", "digest": digest_of(n)}
        for n in range(2_000)
        for of in things
    ]
    rows += [{"record": digest_of(42), "kind": "batch", "name": "batch_42", "digest": "e" * 64}]
    with world.ledger.writing() as session:
        session.execute(insert(RecordUse), rows)
        session.execute(text("ANALYZE"))
    run = world.run(digest_of(42))
    world.batch(digest_of(7), digest_of(42))
    plans: list[str] = []
    with world.ledger.reading() as session, planning(session, plans):
        found = used_by(session, Wanted(kind, name))
    assert [one.id for report in found.reports for one in report.runs] == [run]
    assert plans
    scans = ("SCAN record_use", "Seq Scan on record_use", "SCAN run_job", "Seq Scan on run_job")
    assert not [plan for plan in plans if any(scan in plan for scan in scans)]


@contextmanager
def planning(session: Session, plans: list[str]) -> Iterator[None]:
    """Note how the database carries out each statement that reads what records stand on."""
    engine = session.get_bind()
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    if engine.dialect.name != "sqlite":
        # Small tables are read whole, whatever indexes there are: is one of any use?
        session.execute(text("SET enable_seqscan = off"))

    def look(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if "record_use" in statement or "run_job" in statement:
            other = cursor.connection.cursor()
            other.execute(f"{explain} {statement}", parameters)
            plans.append("\n".join(str(row) for row in other.fetchall()))
            other.close()

    event.listen(engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", look)
