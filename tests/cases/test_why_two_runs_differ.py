"""Two runs of one project differ by one thing, and that is what the explanation names."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.demo import DemoProject, lay_out
from app.explained import explained
from app.intake.request import Requester, RunRequest, accept_run
from app.work.doorbell import SilentDoorbell
from pipeline.installation import Installation, SourceUrls
from pipeline.kernels.hosts import KernelHosts
from pipeline.runner.client import Runner
from provenance.datasets.names import DATA
from provenance.datasets.publish import By, NewBatch, publish, stage_batch, version_seen
from provenance.ledger.states import Trigger
from provenance.store import Store
from tests.cases.packages import environment_of, install, wheel
from tests.cases.project import Case
from tests.support.evaluations import Bench, Told
from tests.support.ledgers import sqlite_ledger
from tests.support.repository import Files, Repository

pytestmark = pytest.mark.slow
DAY = "2013-01-31"
FEATURES, SCORES = "stages/features.py", "stages/scores.py"
OF_BATCH = """
[reports.predicted]
template = "reports/regression_test.ipynb"
inputs = { predictions = { dataset = "predicted_delays", partition = "{date}" } }
"""


@dataclass(frozen=True)
class Flights:
    """The demo project at work in an installation; each test edits on a branch of its own."""

    bench: Bench
    demo: DemoProject
    repository: Repository

    def edited(self, branch: str, path: str, old: str, new: str) -> str:
        """Commit an edit of one file on a new branch of the first commit; return the commit."""
        self.repository.git("checkout", "--quiet", "-B", branch, self.demo.commits[0])
        text = (self.repository.path / path).read_text()
        assert old in text
        return self.repository.commit({path: text.replace(old, new, 1)}, branch)

    def ask(
        self, sha: str | None = None, report: str = "regression_test", force: bool = False, **p: str
    ) -> Told:
        """Run a report of a commit, of the first one unless told."""
        name = self.bench.project(self.repository).name
        revision = sha or self.demo.commits[0]
        wanted = RunRequest(name, report, {"date": DAY} | p, revision, force=force)
        requester = Requester(Trigger.API, "ada")
        run = accept_run(self.bench.installation, wanted, requester, SilentDoorbell())
        told = self.bench.execute(run.id)
        assert told.verdict in ("passed", "failed"), told.error
        return told

    def bring(self, run: Told) -> None:
        """Let what the stage ``scores`` of the run gave be the current batch."""
        installation = self.bench.installation
        (made,) = [one for one in run.record["inputs"] if one["name"] == "predictions"]
        file = (made["sha256"], made["size"], made["media_type"], made["filename"])
        with installation.ledger.writing() as session:
            new = NewBatch("predicted_delays", *file, "grace", partition=DAY)
            batch = stage_batch(session, new)
            seen = version_seen(session, DATA, new.dataset, DAY)
            publish(session, batch, seen, By("grace"))


@pytest.fixture(scope="module")
def flights(
    tmp_path_factory: pytest.TempPathFactory,
    environments: Path,
    default_environment: Path,
    runner: Runner,
    hosts: KernelHosts,
) -> Iterator[Flights]:
    folder = tmp_path_factory.mktemp("flights")
    demo, home = lay_out(folder / "demo"), folder / "home"
    home.mkdir()
    (home / "environments").symlink_to(environments)
    ledger = sqlite_ledger(home / "ledger.sqlite")
    installation = Installation(
        home=home,
        ledger=ledger,
        store=Store(home / "store"),
        base_url="http://localhost:8000",
        source_urls=SourceUrls(demo.source_urls),
        allow_file_repositories=True,
    )
    yield Flights(Bench(installation, runner, hosts), demo, Repository(demo.clone))
    ledger.close()


def why(bench: Bench, a: Told, b: Told) -> dict[str, Any]:
    """Return what ``provenote explain A B --json`` says."""
    with bench.installation.ledger.reading() as session:
        told: dict[str, Any] = explained(session, bench.installation, a.row.id, b.row.id)
    return told


def only_cause(told: dict[str, Any]) -> tuple[str, str, list[str]]:
    """Return the one cause: its kind, what it is, and the jobs that it reached."""
    (cause,) = told["causes"]
    assert cause["moved"], "it changed what the jobs gave"
    return cause["kind"], cause["subject"], list(cause["where"])


def test_an_edited_stage_is_the_cause(flights: Flights) -> None:
    before = flights.ask()
    sha = flights.edited("of-code", FEATURES, "CAP = 60", "CAP = 45")
    told = why(flights.bench, before, flights.ask(sha))
    assert only_cause(told) == ("stage_code", FEATURES, ["features"])
    assert "-CAP = 60" in told["causes"][0]["diff"]
    assert told["sentence"].startswith(f"The code changed: {FEATURES} (features).")


def test_other_rows_of_the_source_are_the_cause(flights: Flights) -> None:
    before = flights.ask()
    with closing(sqlite3.connect(flights.demo.replica)) as replica, replica:
        replica.execute(
            "UPDATE flights SET dep_delay = dep_delay + 1 WHERE date = ? AND carrier = 'UA'",
            [DAY],
        )
    told = why(flights.bench, before, flights.ask(force=True))
    assert only_cause(told) == ("data", "source replica", ["departures"])
    assert "rows as before, but not the same ones" in told["sentence"]


def test_another_batch_of_a_dataset_is_the_cause(flights: Flights) -> None:
    sha = flights.edited("of-batch", "provenote.toml", "[project]", f"{OF_BATCH}\n[project]")
    changed = flights.edited("of-batch-code", SCORES, "SHRINKAGE = 50.0", "SHRINKAGE = 5000.0")
    flights.bring(flights.ask())
    before = flights.ask(sha, "predicted")
    flights.bring(flights.ask(changed))
    told = why(flights.bench, before, flights.ask(sha, "predicted"))
    assert only_cause(told) == ("data", f"dataset predicted_delays/{DAY}", ["report"])
    assert told["sentence"].startswith(f"The dataset predicted_delays/{DAY} is another batch: ")


def test_another_value_of_a_parameter_is_the_cause(flights: Flights) -> None:
    told = why(flights.bench, flights.ask(), flights.ask(date="2013-02-28"))
    kind, subject, _ = only_cause(told)
    assert (kind, subject) == ("parameters", "param date")
    assert "The parameter date changed: 2013-01-31 → 2013-02-28." in told["sentence"]


def test_of_an_unseeded_random_number_it_is_said_that_nothing_recorded_differs(
    flights: Flights,
) -> None:
    sha = flights.edited(
        "of-chance",
        SCORES,
        "    return delay.mean() + ",
        "    return np.random.default_rng().normal() + delay.mean() + ",
    )
    told = why(flights.bench, flights.ask(sha), flights.ask(sha, force=True))
    assert only_cause(told) == ("randomness", "stage scores", ["scores"])
    assert told["sentence"].startswith("Nothing recorded differs, and yet the results do:")
    assert "an unseeded random number" in told["sentence"]
    jobs = {job["name"]: (job["same_key"], job["same_outputs"]) for job in told["jobs"]}
    assert jobs["departures"] == jobs["features"] == (True, True)
    assert jobs["scores"] == (True, False)


def test_another_version_of_a_package_is_the_cause(
    case_of: Callable[[Files], Case], environments: Path, tmp_path: Path
) -> None:
    """Of a small project: the demo's environment is shared by all tests."""
    requirements = "# a package is upgraded here, and an explanation asked for\n"
    environment = environment_of(environments, requirements)
    packages = [wheel(tmp_path, name, 1) for name in ("tidewater", "driftwood")]
    install(environment, *packages)
    body = "import tidewater\n\ndef build():\n    return f'tide {tidewater.LEVEL}'\n"
    files = {"requirements.txt": requirements, "stages/made.py": body}
    case = case_of({**files, "stages/seen.py": "def build(made):\n    return made.read_text()\n"})
    before = case.push()
    install(environment, wheel(tmp_path, "tidewater", 2), wheel(tmp_path, "driftwood", 2))
    told = why(case.bench, before, case.ask())
    assert only_cause(told) == ("packages", "package tidewater", ["made"])
    assert told["sentence"].startswith("The package tidewater changed: 1.0 → 2.0.")
