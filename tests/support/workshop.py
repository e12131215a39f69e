"""An installation without web pages, whose workers are started, stopped and killed one by one."""

import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from sqlalchemy import update

from app.assemble import assemble, make_ready
from app.intake.request import Push, Requester, RunRequest, accept_push, accept_run
from app.settings import Settings
from app.work.doorbell import CeleryDoorbell, Doorbell, SilentDoorbell
from pipeline.installation import Installation
from provenance.ledger.ids import new_id
from provenance.ledger.states import Trigger
from provenance.ledger.tables import Evaluation, Project, Run
from tests.support.processes import LONG, Home, ended, make_home
from tests.support.repository import Repository
from tests.support.tides import Gate, make_tides
from tests.support.waiting import wait_for

_OVER = ("finished", "dead")


@dataclass
class WorkerProcess:
    """A worker, and what it says."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def ready(self) -> "WorkerProcess":
        wait_for(lambda: "worker ready" in self.said, "the worker to be ready", LONG)
        return self

    @property
    def runners(self) -> list[psutil.Process]:
        """Return its runner processes."""
        below = psutil.Process(self.process.pid).children()
        return [child for child in below if "pipeline.runner.process" in child.cmdline()]

    def kill(self) -> None:
        self.process.kill()
        ended(self.process)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@dataclass
class Workshop:
    """An installation with the project ``tides``, and its workers."""

    home: Home
    settings: Settings
    installation: Installation
    project: Project
    repository: Repository
    workers: list[WorkerProcess] = field(default_factory=list)
    gates: int = 0

    def worker(self, **settings: str) -> WorkerProcess:
        """Start a worker."""
        log = self.home.path.parent / f"worker{len(self.workers) + 1}.log"
        made = WorkerProcess(self.home.start("worker", log=log, **settings), log)
        self.workers.append(made)
        return made

    @property
    def bell(self) -> CeleryDoorbell:
        """The bell that the web pages ring."""
        return CeleryDoorbell(self.settings)

    def ask(self, report: str, bell: Doorbell | None = None, **params: object) -> str:
        """Ask for a run; without *bell* nobody hears of it."""
        request = RunRequest("tides", report, params)
        requester = Requester(Trigger.API, "ada")
        return accept_run(self.installation, request, requester, bell or SilentDoorbell()).id

    def gate(self) -> Gate:
        self.gates += 1
        return Gate(self.home.path.parent / f"gate{self.gates}")

    def ask_gated(self, bell: Doorbell | None = None) -> tuple[str, Gate]:
        """Ask for a run that waits in the middle of a cell until its gate is opened."""
        gate = self.gate()
        return self.ask("gated", bell, gate=str(gate.path)), gate

    def push(self, bell: Doorbell | None = None) -> str:
        """Accept a push of a new commit and return its evaluation's id."""
        sha = self.repository.commit({}, "Pushed")
        push = Push("refs/heads/main", "main", sha, None, "ada", None)
        ledger = self.installation.ledger
        return accept_push(ledger, self.project, push, bell or SilentDoorbell()).evaluation_id

    def row(self, run_id: str) -> Run:
        return self.home.row(run_id)

    def finished(self, run_id: str) -> Run:
        """Wait until the run has ended, and return its row."""
        wait_for(lambda: self.row(run_id).status in _OVER, f"run {run_id} to end", LONG)
        return self.row(run_id)

    def evaluated(self, evaluation_id: str) -> Evaluation:
        """Wait until the evaluation has ended, and return its row."""
        wait_for(
            lambda: self.home.evaluation(evaluation_id).status in _OVER,
            f"evaluation {evaluation_id} to end",
            LONG,
        )
        return self.home.evaluation(evaluation_id)

    def change(self, run_id: str, **values: object) -> None:
        """Write into the run's row what no process of ours would."""
        with self.installation.ledger.writing() as session:
            session.execute(update(Run).where(Run.id == run_id).values(**values))

    def close(self) -> None:
        self.home.kill()
        for worker in self.workers:
            ended(worker.process)
            print(f"── {worker.log.name}\n{worker.said}")
        self.installation.ledger.close()


def make_workshop(folder: Path, environments: Path) -> Workshop:
    """Lay out a home, a repository and its project; no worker is started yet."""
    home = make_home(folder, environments, ALLOW_FILE_REPOSITORIES="1", WORKERS="2")
    settings = Settings(home=home.path, allow_file_repositories=True, workers=2)
    installation = assemble(settings)
    make_ready(settings, installation)
    repository = make_tides(folder / "tides")
    project = Project(id=new_id("project"), name="tides", url=str(repository.path))
    with installation.ledger.writing() as session:
        session.add(project)
    return Workshop(home, settings, installation, project, repository)
