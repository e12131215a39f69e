from datetime import UTC, datetime, timedelta

from provenance.ledger.engine import Ledger
from provenance.ledger.ids import new_id
from provenance.ledger.queries.recent import MOST_COMMITS, recent_revisions
from provenance.ledger.states import Trigger
from provenance.ledger.tables import Commit, Evaluation, Project

START = datetime(2026, 3, 1, tzinfo=UTC)


def add_commit(ledger: Ledger, project: Project, number: int, branch: str, trigger: Trigger):
    sha = f"{number:040x}"
    at = START + timedelta(hours=number)
    with ledger.writing() as session:
        facts = {"subject": f"Commit {number}", "author": "Ada", "committed_at": at}
        session.add(Commit(project_id=project.id, sha=sha, parent=None, **facts))
        session.add(
            Evaluation(
                id=new_id("eval"),
                project_id=project.id,
                trigger=trigger,
                actor="ada",
                revision=branch,
                branch=branch,
                commit_sha=sha,
            )
        )


def add_project(ledger: Ledger, name: str) -> Project:
    with ledger.writing() as session:
        made = Project(id=new_id("project"), name=name, url="https://git.example.org/x.git")
        session.add(made)
    return made


def test_the_newest_commits_and_their_branches_are_told_the_default_branch_first(ledger):
    project, other = add_project(ledger, "flights"), add_project(ledger, "tides")
    for number in range(1, MOST_COMMITS + 5):
        add_commit(ledger, project, number, "topic" if number % 2 else "main", Trigger.PUSH)
    add_commit(ledger, project, 90, "mine", Trigger.CLI)
    add_commit(ledger, project, 91, "what-if", Trigger.WHATIF)
    add_commit(ledger, other, 92, "theirs", Trigger.PUSH)
    with ledger.reading() as session:
        found = recent_revisions(session, project)
    assert found.branches == ("main", "topic")
    newest = range(MOST_COMMITS + 4, 4, -1)
    assert [commit.subject for commit in found.commits] == [f"Commit {one}" for one in newest]


def test_a_project_without_history_has_its_default_branch(ledger):
    project = add_project(ledger, "flights")
    with ledger.reading() as session:
        found = recent_revisions(session, project)
    assert (found.branches, found.commits) == (("main",), ())
