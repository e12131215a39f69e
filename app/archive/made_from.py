"""The facts beside a report: who asked, in which environment it was made, how to repeat it."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from pipeline.asked import data_wanted
from provenance.ledger.environment_tables import EnvironmentRow
from provenance.ledger.tables import Evaluation, Run
from provenance.store import CorruptObjectError, MissingObjectError, Store


@dataclass(frozen=True)
class MadeFrom:
    """What the panel of a run tells besides the ledger's own columns."""

    actor: str
    trigger: str
    environment: str
    """Interpreter and number of packages; empty without a record."""
    containment: str
    """How its code was set apart from the machine; empty without a record."""
    kernel: str
    """``warm`` or ``cold``; empty without a record that says so."""
    proof: str | None
    """How a cold kernel did beside its warm one, here or where it was executed; None: not tried."""
    environment_key: str | None
    """Key of the environment that made the result, else of the one that was prepared; None
    where it is from before environments had pages."""
    again: str
    """The command that makes the run once more."""


def made_from(session: Session, store: Store, run: Run, evaluation: Evaluation) -> MadeFrom:
    """Return the facts of *run*."""
    record = _record(store, run.record)
    found = _table(record, "environment")
    key = found.get("key") or run.environment
    known = key is not None and session.get(EnvironmentRow, str(key)) is not None
    return MadeFrom(
        evaluation.actor,
        evaluation.trigger,
        _environment(found),
        str(_table(record, "run").get("containment", "")),
        str(_table(record, "run").get("kernel", "")),
        _proof(session, run),
        key if known else None,
        _again(run),
    )


def _proof(session: Session, run: Run) -> str | None:
    made_by = session.get(Run, run.reused_from) if run.reused_from else run
    return made_by.proof if made_by is not None else None


def other_values(run: Run) -> str:
    """Return the address of the form, filled in with the values of *run*."""
    return url_for(
        "intake.new_run",
        project=run.project.name,
        report=run.report,
        commit=run.branch or run.commit_sha,
        run=run.id,
    )


def _again(run: Run) -> str:
    parts = ["provenote", "run", run.report, "--commit", run.commit_sha[:12]]
    for name, value in run.params.items():
        text = value if isinstance(value, str) else json.dumps(value)
        parts += ["-p", f"{name}={text}"]
    if (as_of := data_wanted(run.data).as_of) is not None:
        parts += ["--as-of", as_of.isoformat()]
    return shlex.join(parts)


def _environment(found: dict[str, Any]) -> str:
    python, packages = found.get("python"), found.get("distributions", found.get("packages"))
    words = [f"{found.get('implementation') or 'Python'} {python}"] if python else []
    if isinstance(packages, list | dict):
        packages = len(packages)
    if isinstance(packages, int) and packages:
        words.append(f"{packages} packages")
    return ", ".join(words)


def _record(store: Store, digest: str | None) -> dict[str, Any]:
    """Return the record; nothing where it is lost."""
    if digest is None:
        return {}
    try:
        record = json.loads(store.read(digest))
    except (MissingObjectError, CorruptObjectError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _table(record: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what the record says under *name*; nothing where it says something else."""
    found = record.get(name)
    return found if isinstance(found, dict) else {}
