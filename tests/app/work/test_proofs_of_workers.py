"""Who proves; that proofs under way outlive a clean-up, and those of a killed worker do not."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable

from app.cli.hands import Hands
from app.work.doorbell import SilentDoorbell
from app.work.owner import owner_name
from app.work.reconcile import sweep
from app.work.slots import Slots
from pipeline.host import this_host
from pipeline.installation import Installation
from pipeline.proof_place import ProofPlace
from pipeline.runner.client import Runner
from pipeline.workplace import MARKER
from provenance.ledger.claims import Claim
from provenance.ledger.ids import new_id
from provenance.ledger.tables import Run
from tests.pipeline.weather import single
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook


def place_of(installation: Installation, owner: str) -> ProofPlace:
    return ProofPlace(installation, Claim(Run, new_id("run"), owner, 1))


def started(place: ProofPlace) -> "subprocess.Popen[bytes]":
    """A process as a kernel of that proof is one."""
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    return subprocess.Popen(argv, env={**os.environ, MARKER: place.marker})


def test_a_proof_goes_on_while_its_worker_lives_and_is_cleared_away_after_it(
    installation: Callable[..., Installation],
) -> None:
    found = installation()
    mine, lost = place_of(found, owner_name()), place_of(found, f"{this_host()}/999999999/1")
    sockets = [place.workplace("report").sockets for place in (mine, lost)]
    for one in sockets:
        one.mkdir(mode=0o700, parents=True)
    processes = [started(place) for place in (mine, lost)]
    try:
        sweep(found)
        processes[1].wait(10)
        assert processes[0].poll() is None
        assert [place.root.exists() for place in (mine, lost)] == [True, False]
        assert [one.exists() for one in sockets] == [True, False]
        assert len(list(found.work.iterdir())) == 1
    finally:
        mine.remove()
        for process in processes:
            process.kill()
            process.wait()
    assert list(found.work.iterdir()) == []


def test_a_slot_proves_what_it_executes_and_a_command_does_not(
    evaluate: Bench, git_project: Callable[..., Repository]
) -> None:
    repository = git_project(single(notebook("# A", "print(1)")))
    slots = Slots(evaluate.installation, 60.0, SilentDoorbell(), proof_runs=1)
    try:
        evaluation = evaluate.accept(repository)
        slots.prepare(evaluation)
        slots.evaluate(evaluation)
    finally:
        slots.stop()
    (run,) = evaluate.evaluation(evaluation).runs
    assert (run.verdict, run.row.kernel, run.row.proof) == ("passed", "warm", "equal")
    held = Hands(evaluate.installation, 60.0, Runner(), slots.hosts, threading.Event())
    assert held.worker(print).proof_runs == 0
