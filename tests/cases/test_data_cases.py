"""Case 20: writers, a reader, somebody who rolls back, and the collector, all at once."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.asked import DataWanted
from pipeline.installation import Installation
from provenance.datasets.errors import ConflictError
from provenance.datasets.names import DATA
from provenance.datasets.pins import pin
from provenance.datasets.publish import By, NewBatch, pointer_of, publish, stage_batch
from provenance.gc import Collector, Keep
from provenance.ledger.data_tables import Batch
from provenance.ledger.engine import Ledger
from provenance.store import MissingObjectError
from tests.cases.project import MANIFEST, NO_PACKAGES
from tests.pipeline.shop import Shop
from tests.support.evaluations import Bench, Told, in_thread
from tests.support.repository import Repository, notebook
from tests.support.waiting import wait_for

DAY = "2013-01-31"
SOLD = f'{{ dataset = "sold_items", partition = "{DAY}" }}'
HEAD = MANIFEST.partition("[stages.made]")[0]
SALES = f"""\
{HEAD}
[params.gate]
type = "text"
default = ""

[stages.wait]
python = "stages.wait:build"

[stages.count]
python = "stages.count:build"
inputs = {{ sold = {SOLD} }}

[reports.sales]
template = "reports/sales.ipynb"
inputs = {{ wait = "wait", count = "count", sold = {SOLD} }}
"""
WAIT = """\
from pathlib import Path
import time

def build(gate):
    if gate:
        Path(f"{gate}.began").touch()
        while not Path(gate).exists():
            time.sleep(0.02)
    return "waited"
"""
FILES = {
    "provenote.toml": SALES,
    "requirements.txt": NO_PACKAGES,
    "stages/__init__.py": "",
    "stages/wait.py": WAIT,
    "stages/count.py": "def build(sold):\n    return str(len(sold.read_text()))\n",
    "reports/sales.ipynb": notebook(
        "# Sales",
        "wait = None\ncount = None\nsold = None",
        "print(open(sold).read(), open(count).read())",
    ),
}
DOWNSTREAM_REUSED = {"wait": "reused", "count": "reused", "report": "reused"}


@pytest.fixture
def shop(bench: Bench, git_project: Callable[..., Repository]) -> Shop:
    return Shop(bench, git_project(FILES, name="sales"))


@dataclass
class Writers:
    """Two who saw the same version, each with a batch that is to be the next."""

    installation: Installation
    seen: int
    won: list[Batch] = field(default_factory=list)
    lost: list[Batch] = field(default_factory=list)
    conflicts: list[ConflictError] = field(default_factory=list)

    def publish(self, *contents: str) -> None:
        """Publish all *contents* at the same time."""
        together = threading.Barrier(len(contents))
        writers = [
            threading.Thread(target=self._publish, args=(content, together)) for content in contents
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(30)

    def _publish(self, content: str, together: threading.Barrier) -> None:
        ledger = Ledger(self.installation.ledger.engine.url.render_as_string(hide_password=False))
        blob = self.installation.store.put_bytes(content.encode())
        file = (blob.sha256, blob.size, "text/plain", "sold.txt")
        with ledger.writing() as session:
            batch = stage_batch(session, NewBatch("sold_items", *file, "ada", partition=DAY))
        together.wait(30)
        try:
            with ledger.writing() as session:
                publish(session, batch, self.seen, By("ada"))
            self.won.append(batch)
        except ConflictError as error:
            self.lost.append(batch)
            self.conflicts.append(error)
        ledger.close()


@contextmanager
def collecting(installation: Installation) -> Iterator[list[int]]:
    """Clear away beside the block, again and again; the list counts what went each time."""
    over, went = threading.Event(), list[int]()

    def collect() -> None:
        while not over.is_set():
            cleared = Collector(installation.store, installation.ledger, Keep(grace=0)).clear()
            assert cleared.lost == []
            went.append(len(cleared.garbage))
            over.wait(0.05)

    with in_thread(collect) as answers:
        try:
            yield went
        finally:
            over.set()
    assert answers == [None], answers


def version_now(shop: Shop) -> tuple[int, str | None]:
    with shop.bench.installation.ledger.reading() as session:
        pointer = pointer_of(session, DATA, "sold_items", DAY)
        assert pointer is not None
        return pointer.version, pointer.batch_id


def sold_in(run: Told) -> dict[str, Any]:
    """Return what the report's record says of the batch that it read."""
    return next(one for one in run.record["inputs"] if one["name"] == "sold")


def test_case_20_two_write_while_one_reads_then_it_is_rolled_back_and_all_is_cleared(
    shop: Shop, tmp_path: Path
) -> None:
    """Case 20: one conflict, the reader sees what it began with, the version grows, a pinned
    batch survives, and what is downstream is reused."""
    installation, gate = shop.bench.installation, tmp_path / "gate"
    garbage = installation.store.put_bytes(b"nothing leads to this")
    old = shop.bring("1 apple")
    writers = Writers(installation, seen=1)
    with collecting(installation) as went:
        with in_thread(lambda: shop.ask("sales", params={"gate": str(gate)})) as told:
            began = Path(f"{gate}.began")
            wait_for(lambda: began.exists() or told, "the reader to have begun")
            writers.publish("22 pears", "33 plums")
            gate.touch()
        (reader,) = told
        [conflict] = writers.conflicts
        assert f"sold_items/{DAY} is at version 2, not 1" in conflict.message
        [winner], [loser] = writers.won, writers.lost
        assert version_now(shop) == (2, winner.id)

        assert reader.verdict == "passed", reader.row.error
        assert reader.printed == "1 apple 7\n"
        assert sold_in(reader)["batch"] == old.id

        with installation.ledger.writing() as session:
            pin(session, loser.id, "ada", "to look at it later")
        newer = shop.ask("sales")
        assert newer.printed == f"{shop.content(winner)} 8\n"

        shop.roll_back()
        assert version_now(shop) == (3, old.id)
        back = shop.ask("sales")
        assert back.statuses == DOWNSTREAM_REUSED
        assert (back.row.key, back.row.html) == (reader.row.key, reader.row.html)
        passes = len(went)
        wait_for(lambda: len(went) > passes + 1, "the collector to come by once more")

    with pytest.raises(MissingObjectError):
        installation.store.read(garbage.sha256)
    assert shop.content(loser) in ("22 pears", "33 plums")
    wanted = DataWanted(batches={f"sold_items/{DAY}": loser.id})
    assert shop.ask("sales", data=wanted).printed == f"{shop.content(loser)} 8\n"
    assert [moved[0] for moved in shop.moves] == ["publish", "publish", "rollback"]
    assert json.dumps(shop.batches).count("sold_items") == 3
