"""Rows of a ledger, written without running anything."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provenance.ledger.engine import Ledger
from provenance.ledger.ids import new_id
from provenance.ledger.intake import case_key, note_heads
from provenance.ledger.page_heads import note_page_heads
from provenance.ledger.states import Trigger
from provenance.ledger.tables import Commit, Evaluation, Project, Run
from provenance.ledger.text_tables import PageHead, PageText
from provenance.ledger.words import note_page

SHA = "a" * 40
_FACTS: dict[str, Any] = {
    **{"report": "daily", "params": {}, "case": {}},
    **{"case_key": case_key({}), "commit_sha": SHA},
}


def add_project(ledger: Ledger) -> Project:
    project = Project(id=new_id("project"), name=new_id("p"), url="https://git.example.org/p.git")
    with ledger.writing() as session:
        session.add(project)
        session.flush()
        at = datetime(2026, 3, 1, tzinfo=UTC)
        session.add(
            Commit(project_id=project.id, sha=SHA, subject="s", author="Ada", committed_at=at)
        )
    return project


def add_evaluation(ledger: Ledger, project: Project, **values: Any) -> Evaluation:
    facts = {"trigger": Trigger.PUSH, "actor": "ada", "revision": "main", "commit_sha": SHA}
    row = Evaluation(id=new_id("eval"), project_id=project.id, **(facts | values))
    with ledger.writing() as session:
        session.add(row)
    return row


def committed_at(ledger: Ledger, project_id: str, sha: str) -> datetime | None:
    """Return when a commit says that it was made; None where the ledger does not know it."""
    with ledger.reading() as session:
        commit = session.get(Commit, (project_id, sha))
    return commit.committed_at if commit else None


def add_runs(ledger: Ledger, evaluation: Evaluation, count: int = 1, **values: Any) -> list[str]:
    facts = _FACTS | values
    at = committed_at(ledger, evaluation.project_id, facts["commit_sha"])
    rows = [
        Run(
            evaluation_id=evaluation.id,
            project_id=evaluation.project_id,
            committed_at=at,
            **({"id": new_id("run")} | facts),
        )
        for _ in range(count)
    ]
    with ledger.writing() as session:
        session.add_all(rows)
        note_heads(session, rows)
        note_page_heads(session, {row.html: row.id for row in rows if row.html and not row.purpose})
    return sorted(row.id for row in rows)


def publish_page(session: Session, page: PageText) -> None:
    """Note a page of runs that are there already."""
    note_page(session, page)
    newest = select(func.max(Run.id)).where(Run.html == page.html, Run.purpose.is_(None))
    if run_id := session.scalar(newest):
        note_page_heads(session, {page.html: run_id})


def newest_runs(ledger: Ledger) -> dict[str, str]:
    """Return, by its digest, the run that is noted as the newest of each page."""
    query = select(PageText.html, PageHead.run_id).join(PageHead, PageHead.page_id == PageText.id)
    with ledger.reading() as session:
        return {row.html: row.run_id for row in session.execute(query)}
