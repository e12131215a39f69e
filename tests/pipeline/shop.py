"""A small shop that publishes what it sold and reports on it, and hands to its data."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.intake.request import Push, Requester, RunRequest, accept_push, accept_run
from app.work.doorbell import SilentDoorbell
from pipeline.asked import USUAL, DataWanted
from provenance.datasets.moves import Move, rollback
from provenance.datasets.names import DATA
from provenance.datasets.publish import By, NewBatch, publish, stage_batch, version_seen
from provenance.ledger.data_tables import Batch, PointerEvent
from provenance.ledger.states import Trigger
from tests.support.evaluations import Bench, Evaluated, Told
from tests.support.repository import Repository, notebook

MANIFEST = """\
[project]
name = "shop"

[params.date]
type = "date"
default = "2013-01-31"

[stages.sold]
python = "stages.sold:build"
publish = { dataset = "sold_items", partition = "{date}" }

[stages.count]
python = "stages.count:build"
inputs = { sold = { dataset = "sold_items", partition = "{date}" } }

[reports.close]
template = "reports/close.ipynb"
inputs = { sold = "sold" }
on = ["push"]

[reports.first]
template = "reports/read.ipynb"
inputs = { sold = { dataset = "sold_items", partition = "{date}" } }

[reports.second]
template = "reports/read.ipynb"
inputs = { sold = { dataset = "sold_items", partition = "{date}" } }
params = { word = "again" }

[reports.counted]
template = "reports/counted.ipynb"
inputs = { count = "count" }

[reports.all]
template = "reports/all.ipynb"
inputs = { sold = { dataset = "sold_items", partition = "2013-*" } }
"""
SOLD = "def build(date):\n    return f'{date}: 3 apples'\n"
PROJECT = {
    "provenote.toml": MANIFEST,
    "stages/__init__.py": "",
    "stages/sold.py": SOLD,
    "stages/count.py": "def build(sold):\n    return str(len(sold.read_text()))\n",
    "reports/close.ipynb": notebook("# Closing", "sold = ''", "print(open(sold).read())"),
    "reports/read.ipynb": notebook(
        "# What was sold", "sold = ''\nword = 'once'", "print(word, open(sold).read())"
    ),
    "reports/counted.ipynb": notebook("# Counted", "count = ''", "print(open(count).read())"),
    "reports/all.ipynb": notebook(
        "# All", "sold = {}", "print({day: open(path).read() for day, path in sold.items()})"
    ),
}


@dataclass
class Shop:
    """The shop's repository at work in an installation."""

    bench: Bench
    repository: Repository

    def ask(self, report: str, data: DataWanted = USUAL, **wanted: Any) -> Told:
        """Run *report* as an API call does, of main unless *revision* says otherwise."""
        project = self.bench.project(self.repository)
        wanted = {"revision": "main", "params": {}} | wanted
        request = RunRequest(project.name, report, data=data, **wanted)
        requester = Requester(Trigger.API, "ada")
        run = accept_run(self.bench.installation, request, requester, SilentDoorbell())
        return self.bench.execute(run.id)

    def push(self, branch: str = "main") -> Evaluated:
        """Push the newest commit to *branch* and carry out all that it asks for."""
        head = self.repository.head
        push = Push(f"refs/heads/{branch}", branch, head, None, "ada", None)
        project, ledger = self.bench.project(self.repository), self.bench.installation.ledger
        return self.bench.carry_out(
            accept_push(ledger, project, push, SilentDoorbell()).evaluation_id
        )

    def bring(self, text: str, partition: str = "2013-01-31", actor: str = "grace") -> Batch:
        """Publish *text* as the current batch of sold_items, as somebody who imports it."""
        blob = self.bench.installation.store.put_bytes(text.encode())
        new = NewBatch(
            "sold_items",
            blob.sha256,
            blob.size,
            "text/plain",
            "sold.txt",
            actor,
            partition=partition,
        )
        with self.bench.installation.ledger.writing() as session:
            batch = stage_batch(session, new)
            seen = version_seen(session, DATA, "sold_items", partition)
            publish(session, batch, seen, By(actor))
        return batch

    def roll_back(self, partition: str = "2013-01-31") -> None:
        """Make the batch current again that was so before."""
        with self.bench.installation.ledger.writing() as session:
            rollback(session, Move("sold_items", "grace", "wrong prices", partition=partition))

    @property
    def batches(self) -> list[tuple[str, str, str]]:
        """All batches: dataset or model, partition, content."""
        with self.bench.installation.ledger.reading() as session:
            rows = session.scalars(select(Batch).order_by(Batch.id)).all()
        return [(b.partition.dataset.name, b.partition.name, self.content(b)) for b in rows]

    @property
    def moves(self) -> list[tuple[str, int]]:
        """All moves of pointers in their order: what was done, and the number it leads to."""
        with self.bench.installation.ledger.reading() as session:
            events = session.scalars(
                select(PointerEvent).order_by(PointerEvent.at, PointerEvent.version)
            ).all()
            return [(event.op, session.get_one(Batch, event.to_batch).number) for event in events]

    def content(self, batch: Batch) -> str:
        """Return what is in a batch."""
        return self.bench.installation.store.read(batch.sha256).decode(errors="replace")
