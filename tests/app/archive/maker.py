"""A ledger with a little history, made without running anything."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.installation import Installation
from provenance.identity.canonical import digest
from provenance.ledger.columns import utc_now
from provenance.ledger.environment_tables import EnvironmentBuild, EnvironmentRow, KernelProof
from provenance.ledger.ids import new_id
from provenance.ledger.intake import case_key, note_heads
from provenance.ledger.page_heads import note_page_heads
from provenance.ledger.states import Status, Trigger, Verdict
from provenance.ledger.tables import (
    Check,
    Commit,
    Evaluation,
    Metric,
    Project,
    Run,
    RunEvent,
    RunInput,
    RunJob,
)
from tests.support.rows import committed_at

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Maker:
    """Writes projects, commits and runs; each call is one transaction."""

    installation: Installation
    made: list[str] = field(default_factory=list)
    clock: int = 0

    def project(self, name: str = "flights", url: str = "https://git.example.org/f.git") -> Project:
        project = Project(id=new_id("project"), name=name, url=url)
        return self._add(project)

    def commit(self, project: Project, number: int, **values: Any) -> Commit:
        facts = {
            "subject": f"Commit {number}",
            "author": "Ada",
            "committed_at": START + timedelta(hours=number),
            "parent": None,
        }
        sha = f"{number:040x}"
        return self._add(Commit(project_id=project.id, sha=sha, **(facts | values)))

    def evaluation(self, commit: Commit, **values: Any) -> Evaluation:
        facts = {
            "trigger": Trigger.PUSH,
            "actor": "ada",
            "revision": "main",
            "branch": "main",
            "commit_sha": commit.sha,
            "status": Status.FINISHED,
            "verdict": Verdict.PASSED,
            "prepared": True,
            "started_at": utc_now(),
            "finished_at": utc_now() + timedelta(seconds=4.1),
        }
        made = Evaluation(id=self._id("eval"), project_id=commit.project_id, **(facts | values))
        return self._add(made)

    def run(self, evaluation: Evaluation, report: str = "sanity_check", **values: Any) -> Run:
        metrics = values.pop("metrics", {})
        checks = values.pop("checks", ())
        params = values.pop("params", {"date": "2013-01-31"})
        case = values.pop("case", params)
        over = values.get("status", Status.FINISHED) == Status.FINISHED
        facts = {
            "commit_sha": evaluation.commit_sha,
            "branch": evaluation.branch,
            "status": Status.FINISHED,
            "verdict": Verdict.PASSED if over else None,
            "seconds": 0.21 if over else None,
            "finished_at": utc_now() if over else None,
            "key": digest("test", [report, params, evaluation.commit_sha]),
        }
        facts |= values
        sha = facts["commit_sha"]
        at = committed_at(self.installation.ledger, evaluation.project_id, sha)
        run = Run(
            evaluation_id=evaluation.id,
            project_id=evaluation.project_id,
            report=report,
            params=params,
            case=case,
            case_key=case_key(case),
            **({"id": self._id("run"), "committed_at": at} | facts),
        )
        run.metrics = [
            Metric(name=name, position=place, value=value, unit=unit, better=better)
            for place, (name, (value, unit, better)) in enumerate(metrics.items())
        ]
        run.checks = [
            Check(position=place, ok=ok, message=message)
            for place, (ok, message) in enumerate(checks)
        ]
        added: Run = self._add(run)
        with self.installation.ledger.writing() as session:
            note_heads(session, [added])
            note_page_heads(
                session, {added.html: added.id} if added.html and not added.purpose else {}
            )
        return added

    def job(self, run: Run, position: int, **values: Any) -> RunJob:
        facts = {"stage": "features", "key": "a" * 64, "status": "executed", "reason": "code"}
        facts |= {"sentence": "code: stages/features.py changed", "seconds": 0.1}
        return self._add(RunJob(run_id=run.id, position=position, **(facts | values)))

    def input(self, run: Run, **values: Any) -> RunInput:
        facts = {"name": "departures", "sha256": "b" * 64, "size": 1_834_211}
        facts |= {"media_type": "text/csv", "producer": "departures", "producer_key": "c" * 64}
        return self._add(RunInput(run_id=run.id, **(facts | values)))

    def environment(self, key: str = "e" * 64, **values: Any) -> EnvironmentRow:
        facts = {"source": "requirements.txt", "python": "3.11.7", "platform": "Linux-6.1"}
        facts |= {"packages": {"pandas": "3.0.0", "numpy": "2.4.6"}}
        return self._add(EnvironmentRow(key=key, **(facts | values)))

    def build(self, of: EnvironmentRow, **values: Any) -> EnvironmentBuild:
        facts = {"state": "ready", "host": "tower", "seconds": 2.1, "size": 181_000_000}
        facts |= {"finished_at": utc_now()}
        build = EnvironmentBuild(id=self._id("build"), environment=of.key, **(facts | values))
        return self._add(build)

    def kernels(self, environment: str = "e" * 64, **values: Any) -> KernelProof:
        facts = {"preload": "p" * 64, "modules": ["pandas"], "runs": 7, "proved": 3}
        facts |= {"outcome": "equal", "at": utc_now()}
        return self._add(KernelProof(environment=environment, **(facts | values)))

    def event(self, run: Run, seq: int, kind: str, **payload: Any) -> None:
        self._add(RunEvent(run_id=run.id, seq=seq, kind=kind, payload=payload))

    def change(self, run: Run, **values: Any) -> None:
        with self.installation.ledger.writing() as session:
            found = session.get_one(Run, run.id)
            for name, value in values.items():
                setattr(found, name, value)

    def keep(self, data: bytes) -> str:
        return self.installation.store.put_bytes(data).sha256

    def _id(self, kind: str) -> str:
        """Give identifiers that surely sort in the order they were asked for."""
        self.clock += 1
        return f"{new_id(kind)[: len(kind) + 11]}{self.clock:016d}"

    def _add(self, row: Any) -> Any:
        with self.installation.ledger.writing() as session:
            session.add(row)
        return row
