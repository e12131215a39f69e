"""Cases 18 and 19: workers that are killed or come back late, and objects that break."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence

import pytest

from provenance.ledger.key_events import key_events
from provenance.verify_archive import ArchiveCheck
from tests.cases.crew import AFTER, BEFORE, DURING, LONG, Crew
from tests.cases.project import ALL_REUSED, FAR, MADE_AGAIN, Case, said
from tests.support.repository import Files
from tests.support.waiting import wait_for

CaseOf = Callable[[Files], Case]
Assemble = Callable[..., Crew]
WORKERS = 8


@pytest.fixture
def crew_of(case: Case) -> Iterator[Assemble]:
    """Make workers for runs of the project's newest commit, whose ``made`` has no result yet."""
    crews: list[Crew] = []

    def make(runs: Sequence[str], lease: float = 60) -> Crew:
        crews.append(Crew(case.bench.installation, runs, lease))
        return crews[-1]

    yield make
    for crew in crews:
        crew.kill()


def asked(case: Case, count: int) -> list[str]:
    """Ask for *count* runs that all need the same key, and the report that there is."""
    case.push()
    case.repository.commit({"lib/deep/far.py": FAR.replace("FACTOR = 2", "FACTOR = 3")})
    return [case.bench.ask(case.repository, "told") for _ in range(count)]


def test_case_18_of_eight_workers_three_are_killed_around_the_rename_and_one_entry_is_left(
    case: Case, crew_of: Assemble
) -> None:
    """Case 18: before the output is renamed into its place, between that and its being safe,
    and after the entry has come."""
    runs = asked(case, WORKERS)
    crew = crew_of(runs)
    crew.start(BEFORE, DURING, AFTER)
    for moment in (BEFORE, DURING, AFTER):
        os.kill(crew.stopped(moment), signal.SIGKILL)
    ends = crew.end()
    assert sorted(ends) == [-signal.SIGKILL] * 3 + [0] * 5

    survivors = [case.bench.run(run) for run, end in zip(runs, ends, strict=True) if end == 0]
    assert {run.verdict for run in survivors} == {"passed"}
    assert [run.statuses["made"] for run in survivors] == ["reused"] * 5
    assert {case.text(run) for run in survivors} == {"far 3"}
    (key,) = {run.jobs["made"].key for run in survivors}
    installation = case.bench.installation
    (entry,) = installation.cache.entries(key)
    assert {run.jobs["made"].record for run in survivors} == {entry.record_id}
    assert ArchiveCheck(installation.store, installation.ledger).run().problems == []


def test_case_19_a_paused_worker_that_comes_back_after_its_lease_is_refused(
    case: Case, crew_of: Assemble
) -> None:
    """Case 19: what another published meanwhile stands; the late one's run waits its turn."""
    runs = asked(case, 2)
    crew = crew_of(runs, 1.0)
    crew.start(BEFORE)
    paused = crew.stopped(BEFORE)
    os.kill(paused, signal.SIGSTOP)
    crew.go()
    other = wait_for_end(case, runs)
    os.kill(paused, signal.SIGCONT)
    assert crew.end() == [0, 0]

    (late,) = set(runs) - {other}
    run = case.bench.run(late)
    assert (run.row.status, run.error["kind"]) == ("queued", "lease_lost")
    published = case.bench.run(other)
    assert published.statuses == MADE_AGAIN
    installation = case.bench.installation
    key = published.jobs["made"].key
    (entry,) = installation.cache.entries(key)
    assert (entry.record_id, entry.record.run["id"]) == (published.jobs["made"].record, other)
    with installation.ledger.reading() as session:
        (event,) = key_events(session, key)
    assert (event.kind, event.run_id, event.record) == ("refused", late, entry.record_id)


def wait_for_end(case: Case, runs: Sequence[str]) -> str:
    """Return the first of the runs that has ended."""

    def ended() -> str | None:
        return next((run for run in runs if case.bench.run(run).row.status == "finished"), None)

    return str(wait_for(ended, "one of the runs to end", LONG))


def test_case_19_a_truncated_object_is_set_aside_and_made_again(case: Case) -> None:
    """Case 19: nobody is given broken bytes, and the next who needs them makes them anew."""
    first = case.push()
    path = case.object(first)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    case.repository.commit({"stages/seen.py": "def build(made):\n    return made.read_text()\n"})
    met = case.bench.execute(case.bench.ask(case.repository, "told"))
    assert (met.row.status, met.error["kind"]) == ("queued", "corrupt_object")
    store = case.bench.installation.store
    assert (store.root / "quarantine" / path.name).read_text() == "far "

    again = case.ask()
    assert again.verdict == "passed", again.row.error
    assert said(again) == ("executed", "missing", "missing: its result is no longer in the store")
    assert case.text(again, "seen") == "far 2"
    assert store.read(path.name) == b"far 2"


def test_case_19_a_consumer_that_writes_to_its_copy_leaves_the_original_unharmed(
    case_of: CaseOf,
) -> None:
    """Case 19: what a stage is given is its own."""
    spoiling = (
        "def build(made):\n"
        "    made.write_text('spoilt')\n"
        "    with made.open('a') as more:\n"
        "        more.write(' twice')\n"
        "    return made.read_text()\n"
    )
    case = case_of({"stages/seen.py": spoiling})
    first = case.push()
    assert case.text(first, "seen") == "spoilt twice"
    assert case.object(first).read_text() == "far 2"
    assert case.push({"README.md": "Nothing of importance\n"}).statuses == ALL_REUSED
    other = case.push({"stages/seen.py": "def build(made):\n    return made.read_text()\n"})
    assert (other.statuses["made"], case.text(other, "seen")) == ("reused", "far 2")
