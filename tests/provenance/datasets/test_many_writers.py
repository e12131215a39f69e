"""Many writers, readers and somebody who rolls back, all at once: one linear history."""

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from provenance.ledger.data_tables import Batch, PointerEvent
from provenance.ledger.engine import Ledger
from provenance.ledger.migrate import upgrade
from provenance.store import Store
from tests.provenance.datasets import crowd
from tests.provenance.datasets.making import published
from tests.support.siblings import start

WRITERS, TIMES, READERS = 8, 40, 4
LONG = 240


def run_crowd(url: str, folder: Path) -> dict[str, list[dict[str, int]]]:
    """Let everybody work until the writers are done; return what each tells."""
    root, stop = folder / "store", folder / "stop"
    names = [f"writer {number}" for number in range(WRITERS)]
    writers = [
        start(crowd.into, folder / f"w{number}.json", crowd.write, url, root, name, TIMES)
        for number, name in enumerate(names)
    ]
    others = [
        start(crowd.into, folder / f"r{number}.json", crowd.read, url, root, stop)
        for number in range(READERS)
    ]
    others.append(start(crowd.into, folder / "n0.json", crowd.roll_back, url, stop))
    try:
        for process in writers:
            process.join(LONG)
    finally:
        stop.touch()
        for process in [*writers, *others]:
            process.join(LONG)
            assert process.exitcode == 0
    return {
        kind: [json.loads(path.read_text()) for path in sorted(folder.glob(f"{kind}*.json"))]
        for kind in "wrn"
    }


@pytest.mark.slow
def test_eight_write_four_read_and_a_ninth_rolls_back(database_url: str, tmp_path: Path) -> None:
    ledger = Ledger(database_url)
    upgrade(ledger)
    blob = Store(tmp_path / "store").put_bytes(b"the first")
    published(ledger, sha256=blob.sha256, size=blob.size)
    told = run_crowd(database_url, tmp_path)

    won = sum(one["won"] for one in told["w"])
    lost = sum(one["lost"] for one in told["w"])
    rolled = told["n"][0]["rolled"]
    assert won + lost == WRITERS * TIMES
    assert won > 0
    assert lost > 0
    assert rolled > 0
    assert sum(one["torn"] for one in told["r"]) == 0
    assert all(one["reads"] > 0 for one in told["r"])

    with ledger.reading() as session:
        events = session.scalars(select(PointerEvent).order_by(PointerEvent.version)).all()
        numbers = session.scalars(select(Batch.number).order_by(Batch.number)).all()
        kept = session.scalar(select(func.count(Batch.id)).where(Batch.state == "committed"))
    ledger.close()
    assert [event.version for event in events] == list(range(1, won + rolled + 2))
    assert [event.from_batch for event in events[1:]] == [event.to_batch for event in events[:-1]]
    instants = [event.at for event in events]
    assert instants == sorted(instants)
    assert numbers == list(range(1, WRITERS * TIMES + 2))
    assert kept == WRITERS * TIMES + 1
