"""Runs about other runs, carried out in the process of a test."""

from typing import Any

from app.intake.again import Swap, accept_reproduction, accept_whatif
from app.intake.request import Requester
from app.run_object import whole_run
from app.work.doorbell import SilentDoorbell
from pipeline.reproduction.answer import TOLERANCE
from provenance.ledger.reproductions import reproductions_of
from provenance.ledger.states import Trigger
from provenance.ledger.tables import Run
from provenance.ledger.trace_tables import Reproduction
from tests.support.evaluations import Bench, Told

ADA = Requester(Trigger.API, "ada")


def whole(bench: Bench, run_id: str) -> Run:
    with bench.installation.ledger.reading() as session:
        return whole_run(session, run_id)


def reproduce(bench: Bench, run_id: str, tolerance: float = TOLERANCE) -> Reproduction:
    """Make a run again here and now, and return what came of it."""
    run = whole(bench, run_id)
    again = accept_reproduction(bench.installation, run, tolerance, ADA, SilentDoorbell())
    bench.execute(again.id)
    return answers(bench, run_id)[0]


def answers(bench: Bench, run_id: str) -> list[Reproduction]:
    """Return what came of all attempts to make a run again, the newest first."""
    with bench.installation.ledger.reading() as session:
        return list(reproductions_of(session, run_id))


def what_if(bench: Bench, run_id: str, **swap: Any) -> Told:
    """Run with one thing swapped, here and now."""
    run = whole(bench, run_id)
    made = accept_whatif(bench.installation, run, Swap(**swap), ADA, SilentDoorbell())
    return bench.execute(made.id)
