"""What a run was asked for, read from the ledger once and carried as a value."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from pipeline.repository.mirror import without_userinfo
from provenance.ledger.tables import Evaluation, Run


@dataclass(frozen=True)
class Asked:
    """One run, as it was accepted."""

    run_id: str
    evaluation_id: str
    project_id: str
    project: str
    url: str
    report: str
    params: Mapping[str, Any]
    origins: Mapping[str, str]
    case_key: str
    commit: str
    branch: str | None
    force: bool
    trigger: str
    actor: str

    def reproduce_command(self, params: Mapping[str, Any], commit: str) -> str:
        """Return the commands that make the same report again, from a shell."""
        url = without_userinfo(self.url)
        words = ["provenote", "run", self.report]
        for name, value in params.items():
            if value is not None:  # left out, it is none again
                words += ["-p", f"{name}={_text(value)}"]
        run = shlex.join([*words, "--commit", commit])
        return f"git clone {shlex.quote(url)} {self.project} && cd {self.project}\n{run}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_asked(session: Session, run_id: str) -> Asked:
    """Return what the run was asked for."""
    run = session.get_one(Run, run_id)
    evaluation = session.get_one(Evaluation, run.evaluation_id)
    return Asked(
        run_id=run.id,
        evaluation_id=run.evaluation_id,
        project_id=run.project_id,
        project=run.project.name,
        url=run.project.url,
        report=run.report,
        params=run.params,
        origins=run.origins,
        case_key=run.case_key,
        commit=run.commit_sha,
        branch=run.branch,
        force=evaluation.force,
        trigger=evaluation.trigger,
        actor=evaluation.actor,
    )
