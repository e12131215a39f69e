"""Whole evaluations in this process: a push goes in, rows and pages come out."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from app.intake.request import Push, Requester, RunRequest, accept_push, accept_run
from app.work.doorbell import SilentDoorbell
from pipeline.attempt import Worker
from pipeline.evaluate import evaluate_run, prepare_evaluation
from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts
from pipeline.runner.client import Runner
from provenance.ledger.claims import Claim, Work, claim
from provenance.ledger.ids import new_id
from provenance.ledger.states import Trigger
from provenance.ledger.tables import Evaluation, Project, Run, RunJob
from provenance.store import Store
from tests.support.repository import Repository

LEASE = 60.0


@dataclass(frozen=True)
class Told:
    """A run that has ended, with everything that hangs on it."""

    row: Run
    store: Store

    @property
    def verdict(self) -> str | None:
        return self.row.verdict

    @property
    def error(self) -> dict[str, Any]:
        assert self.row.error is not None
        return self.row.error

    @property
    def jobs(self) -> dict[str, RunJob]:
        return {job.stage: job for job in self.row.jobs}

    @property
    def statuses(self) -> dict[str, str]:
        """What happened with each job: ``executed`` or ``reused``."""
        return {job.stage: job.status for job in self.row.jobs}

    @property
    def metrics(self) -> dict[str, float | None]:
        return {metric.name: metric.value for metric in self.row.metrics}

    @property
    def checks(self) -> dict[str, bool]:
        return {check.message: check.ok for check in self.row.checks}

    @cached_property
    def html(self) -> str:
        return self._text(self.row.html)

    @cached_property
    def log(self) -> str:
        return self._text(self.row.log)

    @cached_property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._text(self.row.record))
        return found

    @cached_property
    def notebook(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._text(self.row.notebook))
        return found

    @property
    def printed(self) -> str:
        """All text that the cells of the executed notebook show."""
        outputs = [out for cell in self.notebook["cells"] for out in cell.get("outputs", [])]
        return "".join("".join(out.get("text", "")) for out in outputs)

    def _text(self, sha256: str | None) -> str:
        assert sha256 is not None, "the run has no such artifact"
        return self.store.read(sha256).decode()


@dataclass(frozen=True)
class Evaluated:
    """An evaluation that has come to its end."""

    row: Evaluation
    runs: list[Told]

    @property
    def verdict(self) -> str | None:
        return self.row.verdict

    @property
    def run(self) -> Told:
        """The only run."""
        (found,) = self.runs
        return found


@dataclass
class Bench:
    """An installation and a runner, at work on what tests push."""

    installation: Installation
    runner: Runner
    hosts: KernelHosts | None = None
    projects: dict[str, Project] = field(default_factory=dict)
    proof_runs: int = 0
    """As for a worker: one in how many runs is executed by a cold kernel too."""
    let_go: threading.Event = field(default_factory=threading.Event)

    def project(self, repository: Repository) -> Project:
        """Return the project of *repository*, added when it is first asked for."""
        url = str(repository.path)
        if url not in self.projects:
            row = Project(id=new_id("project"), name=repository.path.name, url=url)
            with self.installation.ledger.writing() as session:
                session.add(row)
            self.projects[url] = row
        return self.projects[url]

    def __call__(
        self, repository: Repository, sha: str | None = None, *, before: str | None = None
    ) -> Evaluated:
        """Accept a push of *sha* (default: the newest commit) to main and carry it all out."""
        return self.carry_out(self.accept(repository, sha, before=before))

    def accept(
        self, repository: Repository, sha: str | None = None, *, before: str | None = None
    ) -> str:
        """Accept a push and return its evaluation's id; nothing is carried out."""
        push = Push(
            ref="refs/heads/main",
            branch="main",
            sha=sha or repository.head,
            before=before,
            actor="ada",
            delivery=None,
        )
        project = self.project(repository)
        return accept_push(self.installation.ledger, project, push, SilentDoorbell()).evaluation_id

    def carry_out(self, evaluation_id: str) -> Evaluated:
        """Prepare the evaluation, execute its runs, and return what came of it."""
        claimed = self.claim(Evaluation, evaluation_id)
        for run_id in prepare_evaluation(claimed, self.worker()):
            self.execute(run_id)
        return self.evaluation(evaluation_id)

    def ask(
        self,
        repository: Repository,
        report: str,
        params: Mapping[str, object] | None = None,
        *,
        force: bool = False,
    ) -> str:
        """Accept a run of *report* as an API call does, and return its id."""
        project = self.project(repository)
        request = RunRequest(project.name, report, params or {}, "main", force=force)
        requester = Requester(Trigger.API, "ada")
        return accept_run(self.installation, request, requester, SilentDoorbell()).id

    def execute(self, run_id: str, runner: Runner | None = None) -> Told:
        """Claim the run, carry it out, and return how it ended."""
        evaluate_run(self.claim(Run, run_id), self.worker(runner))
        return self.run(run_id)

    def worker(self, runner: Runner | None = None) -> Worker:
        runner = runner or self.runner
        mine = {"hosts": self.hosts, "proof_runs": self.proof_runs}
        return Worker(self.installation, runner, LEASE, self.let_go, **mine)

    def claim(self, table: Work, row_id: str) -> Claim:
        with self.installation.ledger.writing() as session:
            claimed = claim(session, table, row_id, "tests/1/0", LEASE)
        assert claimed is not None, "somebody else has it"
        return claimed

    def run(self, run_id: str) -> Told:
        with self.installation.ledger.reading() as session:
            row = session.get_one(Run, run_id)
            for name in ("metrics", "checks", "inputs", "jobs"):
                getattr(row, name)
        return Told(row, self.installation.store)

    def evaluation(self, evaluation_id: str) -> Evaluated:
        with self.installation.ledger.reading() as session:
            row = session.get_one(Evaluation, evaluation_id)
            ids = [run.id for run in row.runs]
        return Evaluated(row, [self.run(run_id) for run_id in ids])


@contextmanager
def in_thread(work: Any, *arguments: Any) -> Iterator[list[Any]]:
    """Do *work* beside the block; its result or exception is in the list afterwards."""
    answers: list[Any] = []

    def call() -> None:
        try:
            answers.append(work(*arguments))
        except BaseException as error:
            answers.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield answers
    finally:
        thread.join(120)
        assert not thread.is_alive(), "the work did not end"
