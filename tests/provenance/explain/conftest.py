"""What the tests of explanations share."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts
from pipeline.runner.client import Runner
from provenance.explain.compare import compare
from provenance.explain.load import explain_runs, kept_in, tell_run
from provenance.explain.model import Cause, Explanation, Telling
from provenance.story import JobFacts, Story, load_story
from tests.support.evaluations import Bench, Told
from tests.support.repository import Repository

MakeRepository = Callable[..., Repository]


@dataclass(frozen=True)
class Explainer:
    """Evaluates what tests push, and explains it."""

    bench: Bench

    def push(self, repository: Repository) -> str:
        """Evaluate the newest commit, which asks for one run, and return that run's id."""
        return self.bench(repository).run.row.id

    def ask(self, repository: Repository, report: str = "daily", **params: object) -> str:
        """Run a report afresh, whatever was made before."""
        return self.told(repository, report, **params).row.id

    def told(self, repository: Repository, report: str = "daily", **params: object) -> Told:
        asked = self.bench.ask(repository, report, params, force=True)
        return self.bench.execute(asked)

    def explain(self, a: str, b: str) -> Explanation:
        world = self.bench.installation
        with world.ledger.reading() as session:
            return explain_runs(session, world.store, a, b)

    def compare(self, a: Story, b: Story) -> Explanation:
        world = self.bench.installation
        with world.ledger.reading() as session:
            return compare(a, b, kept_in(session, world.store, [a, b]))

    def story(self, run: str) -> Story:
        world = self.bench.installation
        with world.ledger.reading() as session:
            return load_story(session, world.store, run, whole=False)

    def tell(self, run: str) -> Telling:
        world = self.bench.installation
        with world.ledger.reading() as session:
            return tell_run(session, world.store, run)


def only(found: Explanation) -> Cause:
    """Return the only cause."""
    assert len(found.causes) == 1, found.causes
    return found.causes[0]


def with_job(story: Story, name: str, change: Callable[[JobFacts], JobFacts]) -> Story:
    """Return *story* with one of its jobs changed."""
    jobs = tuple(change(job) if job.name == name else job for job in story.jobs)
    return replace(story, jobs=jobs)


@pytest.fixture
def explainer(evaluate: Bench) -> Explainer:
    return Explainer(evaluate)


@pytest.fixture
def replica(tmp_path: Path) -> Path:
    path = tmp_path / "replica.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE weather (day DATE, rain REAL)")
        connection.executemany(
            "INSERT INTO weather VALUES ('2013-01-31', ?)", [(n,) for n in range(842)]
        )
    connection.close()
    return path


@pytest.fixture
def sql_explainer(
    installation: Callable[..., Installation],
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
    replica: Path,
) -> Explainer:
    return Explainer(
        Bench(installation(sources={"REPLICA": f"sqlite:///{replica}"}), runner, hosts)
    )
