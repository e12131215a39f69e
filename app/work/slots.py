"""The slots of a worker: each a thread with a runner of its own, doing one thing at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue

import structlog

from app.work.doorbell import Doorbell
from app.work.owner import owner_name
from pipeline.attempt import Worker
from pipeline.evaluate import evaluate_run, prepare_evaluation
from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts, hosts_marker
from pipeline.runner.client import Runner, RunnerStoppedError
from provenance.ledger.claims import (
    Claim,
    ClaimLostError,
    Work,
    claim_next,
    close_evaluation_if_done,
    finish,
    release,
)
from provenance.ledger.states import Verdict
from provenance.ledger.tables import Evaluation, Run
from provenance.text import storable

_log = structlog.get_logger()


class Slots:
    """Does what is rung for, each with a runner of its own."""

    def __init__(
        self, installation: Installation, lease: float, doorbell: Doorbell, proof_runs: int = 0
    ) -> None:
        self.closed = threading.Event()
        """Set when nothing new is to be begun; what was begun goes on."""
        self.let_go = threading.Event()
        """Set when what was begun has to go back to the queue."""
        self._installation = installation
        self._lease = lease
        self._proof_runs = proof_runs
        self._doorbell = doorbell
        self._owner = owner_name()
        self._runners: list[Runner] = []
        self._free: LifoQueue[Runner] = LifoQueue()
        """The one used last comes first: it has a kernel ready for what is often asked."""
        self.hosts = KernelHosts(hosts_marker(installation.home, self._owner))

    def start(self, count: int) -> None:
        """Start *count* runners: they import what they need before anybody waits for it.

        A runner ends with the thread that started it, so this is one that stays.
        """
        for _ in range(count):
            runner = Runner()
            self._runners.append(runner)
            runner.start()
            self._free.put(runner)

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        """Give a worker with a runner that nobody else uses meanwhile."""
        try:
            runner = self._free.get_nowait()
        except Empty:
            runner = Runner()
            self._runners.append(runner)
        try:
            yield Worker(
                self._installation,
                runner,
                self._lease,
                self.let_go,
                hosts=self.hosts,
                proof_runs=self._proof_runs,
            )
        finally:
            self._free.put(runner)

    def _claim(self, table: Work) -> Claim | None:
        """Take the oldest work there is: a bell says that there is some, not which is next."""
        if self.closed.is_set():
            return None
        with self._installation.ledger.writing() as session:
            return claim_next(session, table, self._owner, self._lease)

    def prepare(self, rung_for: str) -> None:
        """Prepare the next evaluation, and ring for its runs."""
        claimed = self._claim(Evaluation)
        if claimed is None:
            _log.debug("nothing to prepare", rung_for=rung_for)
            return
        try:
            with self._worker() as worker:
                runs = prepare_evaluation(claimed, worker)
        except ClaimLostError:
            _log.warning("claim lost", evaluation=claimed.id)
            return
        except Exception as error:
            self._fail(claimed, error)
            return
        for run_id in runs:
            self._doorbell.ring_run(run_id)

    def evaluate(self, rung_for: str) -> None:
        """Carry out the next run."""
        claimed = self._claim(Run)
        if claimed is None:
            _log.debug("nothing to run", rung_for=rung_for)
            return
        try:
            with self._worker() as worker:
                evaluate_run(claimed, worker)
        except (ClaimLostError, RunnerStoppedError):
            _log.warning("run let go", run=claimed.id, attempt=claimed.attempt)
            with self._installation.ledger.writing() as session:
                release(session, claimed)
        except Exception as error:
            self._fail(claimed, error)

    def _fail(self, claimed: Claim, error: Exception) -> None:
        """End work in which we failed ourselves: it is told apart from a failure of theirs."""
        _log.exception("provenote failed", work=claimed.id, attempt=claimed.attempt)
        told = {
            "kind": "provenote",
            "message": storable(f"provenote itself failed: {type(error).__name__}: {error}"[:2000]),
            "hint": "Nothing is wrong with the report. The worker's log has the details; "
            "run it again.",
        }
        with self._installation.ledger.writing() as session:
            try:
                finish(session, claimed, verdict=Verdict.ERROR, error=told)
            except ClaimLostError:
                return
            if claimed.table is Run:
                run = session.get_one(Run, claimed.id)
                close_evaluation_if_done(session, run.evaluation_id)

    def stop(self) -> None:
        """End all runners, and the hosts of their kernels."""
        for runner in self._runners:
            runner.stop()
        self.hosts.stop()
