"""What a run was asked for, read from the ledger once and carried as a value."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from pipeline.reproduction.answer import TOLERANCE
from provenance.addresses import without_userinfo
from provenance.ledger.tables import Evaluation, Run


@dataclass(frozen=True)
class DataWanted:
    """Which data a run reads, and whether it publishes, where that is not as usual."""

    as_of: datetime | None = None
    """Read what was current at this instant; None: what is current when the run begins."""
    batches: Mapping[str, str] = field(default_factory=dict)
    """Batches by ``dataset/partition`` or ``model:name``, to be read in place of others."""
    publish: bool = False
    """Publish even from uncommitted changes, or another branch than the default one."""

    @property
    def usual(self) -> bool:
        """Whether it reads what is current."""
        return self.as_of is None and not self.batches

    def as_json(self) -> dict[str, Any] | None:
        """Return it as a run's row keeps it; None where all is as usual."""
        told: dict[str, Any] = {}
        if self.as_of is not None:
            told["as_of"] = self.as_of.isoformat()
        if self.batches:
            told["batches"] = dict(self.batches)
        if self.publish:
            told["publish"] = True
        return told or None


USUAL = DataWanted()


def data_wanted(kept: Mapping[str, Any] | None) -> DataWanted:
    """Return what :meth:`DataWanted.as_json` gave."""
    told = kept or {}
    return DataWanted(
        as_of=datetime.fromisoformat(told["as_of"]) if told.get("as_of") else None,
        batches=dict(told.get("batches") or {}),
        publish=bool(told.get("publish")),
    )


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
    data: DataWanted
    purpose: str | None
    default_branch: str
    again_of: str | None = None
    """The run that this one makes again, or asks "what if" about."""
    tolerance: float = TOLERANCE
    """How near numbers have to be where it is to be seen whether they are the same again."""

    def reproduce_command(self, params: Mapping[str, Any], commit: str) -> str:
        """Return the commands that make the same report again, from a shell."""
        url = without_userinfo(self.url)
        words = ["provenote", "run", self.report]
        for name, value in params.items():
            if value is not None:  # left out, it is none again
                words += ["-p", f"{name}={_text(value)}"]
        if self.data.as_of is not None:
            words += ["--as-of", self.data.as_of.isoformat()]
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
        data=data_wanted(run.data),
        purpose=run.purpose,
        default_branch=run.project.default_branch,
        again_of=run.again_of,
        tolerance=float((run.data or {}).get("tolerance", TOLERANCE)),
    )
