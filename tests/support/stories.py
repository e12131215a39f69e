"""A run with everything that a run can stand on, written without running anything."""

from datetime import UTC, datetime
from typing import Any

from provenance.ledger.data_tables import Batch, Dataset, Partition
from provenance.ledger.engine import Ledger
from provenance.ledger.states import Status
from provenance.ledger.tables import Check, Metric, Project, Run, RunJob
from provenance.record import Output, Record, keep_record
from provenance.store import Store
from provenance.story import Story
from tests.support.rows import SHA, add_evaluation, add_project, add_runs

SQL = "SELECT * FROM flights WHERE day = :day"
CODE = b"def build(departures, sold):\n    return departures\n"
BATCH = "batch_0123456789abcdefghjkmnpqrs"
ENVIRONMENT = {
    "key": "e" * 64,
    "python": "3.11.7",
    "platform": "linux",
    "packages": {"pandas": "2.2.3", "numpy": "2.1.0"},
    "seeds": {"PYTHONHASHSEED": "0"},
}


def keep(store: Store, name: str, data: bytes, media: str, filename: str) -> Output:
    blob = store.put_bytes(data)
    return Output(name, blob.sha256, blob.size, media, filename)


def told(output: Output, name: str, producer: str, key: str, **more: Any) -> dict[str, Any]:
    """What a record says of an input."""
    return {**vars(output), "name": name, "producer": producer, "producer_key": key, **more}


def record_ids(story: Story) -> dict[str, str]:
    """The records' ids by the name of the job, in their order."""
    return {job.name: job.record_id for job in story.jobs if job.record_id is not None}


class Writer:
    """Writes one run: an SQL stage, a Python stage that read a batch too, and the report."""

    def __init__(self, ledger: Ledger, store: Store) -> None:
        self.ledger, self.store = ledger, store
        self.records: dict[str, str] = {}
        self.page: dict[str, str] = {}

    def write(self, verdict: str = "passed", *, url: str | None = None, **values: Any) -> str:
        """Write the run and return its id."""
        project = add_project(self.ledger)
        if url is not None:
            with self.ledger.writing() as session:
                session.get_one(Project, project.id).url = url
        departures = self._departures()
        features = self._features(departures, self._batch())
        self._report(features, verdict)
        evaluation = add_evaluation(self.ledger, project, actor="ada <ada@example.org>")
        facts = {"params": {"day": "2013-01-31", "n": 3}, "branch": "main", "verdict": verdict}
        facts |= {"status": Status.FINISHED, "started_at": _at(0), "finished_at": _at(9)}
        facts |= {"record": self.records["report"], "key": "3" * 64, **self.page}
        (run_id,) = add_runs(self.ledger, evaluation, **(facts | values))
        self._jobs(run_id)
        return run_id

    def _departures(self) -> Output:
        output = keep(self.store, "output", b"PAR1 departures", "text/csv", "output.csv")
        text = self.store.put_bytes(SQL.encode()).sha256
        code = {"text": text, "source": "replica", "files": [_file("queries/d.sql", text)]}
        extra = {"queries": [{"text": SQL, "rows": 7}]}
        self._record("departures", "sql", (output,), (), code, extra)
        return output

    def _batch(self) -> Output:
        output = keep(self.store, "output", b"PAR1 sold items", "text/csv", "sold.csv")
        with self.ledger.writing() as session:
            if session.get(Batch, BATCH) is None:
                session.add(Dataset(id="ds", kind="data", name="sold_items", created_by="ada"))
                session.flush()
                session.add(Partition(id="pa", dataset_id="ds", name="2013-01-31"))
                session.flush()
                columns = [{"name": "item", "type": "string"}, {"name": "n", "type": "int64"}]
                session.add(
                    Batch(
                        id=BATCH, partition_id="pa", number=1, state="committed", actor="ada",
                        sha256=output.sha256, size=output.size, media_type=output.media_type,
                        filename=output.filename, rows=2, columns=columns, details={},
                    )
                )  # fmt: skip
        return output

    def _features(self, departures: Output, batch: Output) -> Output:
        output = keep(self.store, "output", b"PAR1 features", "text/csv", "output.csv")
        where = {"batch": BATCH, "dataset": "sold_items", "partition": "2013-01-31"}
        inputs = (
            told(departures, "departures", "departures", "1" * 64),
            told(batch, "sold", "dataset:sold_items/2013-01-31", "", **where),
        )
        kept = self.store.put_bytes(CODE).sha256
        code = {
            "entry": "stages.features:build",
            "files": [_file("stages/features.py", kept), _file("stages/ä b.py", "c" * 64)],
            "observed": {"config/extra.toml": "d" * 64, "config/none.toml": None},
        }
        self._record("features", "python", (output,), inputs, code, {})
        return output

    def _report(self, features: Output, verdict: str) -> None:
        outputs = (
            keep(self.store, "notebook", b"{}", "application/x-ipynb+json", "notebook.ipynb"),
            keep(self.store, "file:maps/a b.csv", b"a,b\n", "text/csv", "a b.csv"),
            keep(self.store, "html", b"<html>page</html>", "text/html", "report.html"),
        )  # fmt: skip
        self.page = {one.name: one.sha256 for one in outputs if not one.name.startswith("file:")}
        code = {"template": "reports/daily.ipynb", "files": []}
        named = {"producer_record": self.records["features"]}
        inputs = (told(features, "features", "features", "2" * 64, **named),)
        self._record("report", "report", outputs, inputs, code, {"verdict": verdict})

    def _record(
        self, job: str, kind: str, outputs: Any, inputs: Any, code: Any, extra: Any
    ) -> None:
        number = len(self.records) + 1
        record = Record(
            kind=kind, name="daily" if job == "report" else job, key=str(number) * 64,
            preimage={}, outputs=outputs, inputs=inputs, environment=ENVIRONMENT, extra=extra,
            code={"project": "p", "commit": SHA, "dirty": None, **code},
            run={
                "id": "run_x", "attempt": 1, "host": "h",
                "started_at": _at(number).isoformat(), "finished_at": _at(number + 1).isoformat(),
            },
            params={"day": {"type": "date", "value": "2013-01-31", "origin": "given"}},
        )  # fmt: skip
        self.records[job] = keep_record(self.store, record).sha256

    def _jobs(self, run_id: str) -> None:
        with self.ledger.writing() as session:
            for position, (stage, record) in enumerate(self.records.items()):
                reused = stage == "departures"
                session.add(
                    RunJob(
                        run_id=run_id, position=position, stage=stage, key=str(position + 1) * 64,
                        status="reused" if reused else "executed",
                        reason=None if reused else "new", sentence="s", seconds=1.0, record=record,
                    )
                )  # fmt: skip
            session.add(Metric(run_id=run_id, name="skill", position=0, value=0.5, unit="%"))
            session.add(Check(run_id=run_id, position=0, ok=True, message="good"))


def run_without_jobs(ledger: Ledger, **values: Any) -> str:
    """Write a run that made nothing and return its id."""
    (run_id,) = add_runs(ledger, add_evaluation(ledger, add_project(ledger)), **values)
    return run_id


def lose(ledger: Ledger, store: Store, run_id: str, stage: str) -> str:
    """Delete the record of a stage from the store and return its id."""
    with ledger.reading() as session:
        record = next(job.record for job in session.get_one(Run, run_id).jobs if job.stage == stage)
    assert record is not None
    store.path(record).unlink()
    return record


def _file(path: str, sha256: str) -> dict[str, str]:
    return {"path": path, "exact": sha256, "semantic": sha256}


def _at(minute: int) -> datetime:
    return datetime(2026, 3, 2, 8, minute, tzinfo=UTC)
