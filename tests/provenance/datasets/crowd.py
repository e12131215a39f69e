"""Processes that write, read and roll back one partition at the same time."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from provenance.datasets.errors import ConflictError, NothingBeforeError
from provenance.datasets.moves import Move, rollback
from provenance.datasets.names import DATA
from provenance.datasets.publish import By, publish, stage_batch, version_seen
from provenance.datasets.resolve import Reference, resolve_all
from provenance.ledger.engine import Ledger
from provenance.store import Store
from tests.provenance.datasets.making import DAY, new_batch


def write(url: str, root: Path, name: str, times: int) -> dict[str, int]:
    """Publish *times* batches as they come; what is lost to others is counted."""
    ledger, store = Ledger(url), Store(root)
    told = {"won": 0, "lost": 0}
    for number in range(times):
        content = json.dumps({"writer": name, "number": number}).encode() * 50
        blob = store.put_bytes(content)
        new = new_batch(sha256=blob.sha256, size=blob.size, actor=name)
        with ledger.reading() as session:
            seen = version_seen(session, DATA, "sold", DAY)
        with ledger.writing() as session:
            batch = stage_batch(session, new)
        try:
            with ledger.writing() as session:
                publish(session, batch, seen, By(name))
            told["won"] += 1
        except ConflictError:
            told["lost"] += 1
    ledger.close()
    return told


def read(url: str, root: Path, stop: Path) -> dict[str, int]:
    """Read what is current until *stop* is there: each time one whole batch."""
    ledger, store = Ledger(url), Store(root)
    wanted = [Reference(DATA, "sold", DAY)] * 3
    told = {"reads": 0, "torn": 0}
    while not stop.exists():
        with ledger.reading() as session:
            found = [one for (one,) in resolve_all(session, wanted)]
        data = store.read(found[0].sha256)  # raises where the bytes are not those of the digest
        whole = len(data) == found[0].size
        told["torn"] += int(not whole or len({one.id for one in found}) != 1)
        told["reads"] += 1
        time.sleep(0.02)
    ledger.close()
    return told


def roll_back(url: str, stop: Path) -> dict[str, int]:
    """Roll back every now and then until *stop* is there."""
    ledger, told = Ledger(url), {"rolled": 0, "lost": 0}
    while not stop.exists():
        try:
            with ledger.writing() as session:
                rollback(session, Move("sold", "ninth", "a drill", partition=DAY))
            told["rolled"] += 1
        except (ConflictError, NothingBeforeError):
            told["lost"] += 1
        time.sleep(random.uniform(0.01, 0.05))
    ledger.close()
    return told


def into(target: Path, work: Callable[..., dict[str, int]], *arguments: Any) -> None:
    """Do *work* and leave what it tells in the file *target*."""
    target.write_text(json.dumps(work(*arguments)))
