"""The story of a run is told whole, or it is said what is missing."""

from pathlib import Path

import pytest

from provenance.ledger.columns import utc_now
from provenance.ledger.engine import Ledger
from provenance.ledger.finding import UnknownRunError
from provenance.ledger.states import Status
from provenance.store import Store
from provenance.story import LostRecordError, NoStoryError, Story, load_story
from tests.support.rows import SHA
from tests.support.stories import Writer, lose, record_ids, run_without_jobs


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def tell(ledger: Ledger, store: Store, run_id: str, *, whole: bool = True) -> Story:
    with ledger.reading() as session:
        return load_story(session, store, run_id, whole=whole)


def test_a_story_has_the_run_and_all_its_records_in_order(ledger: Ledger, store: Store) -> None:
    writer = Writer(ledger, store)
    story = tell(ledger, store, writer.write())
    assert (story.run.commit, story.run.subject, story.run.author) == (SHA, "s", "Ada")
    assert (story.run.verdict, story.run.trigger, story.run.branch) == ("passed", "push", "main")
    assert list(story.stages) == ["departures", "features"]
    assert story.report is not None
    assert story.report.name == "daily"
    assert record_ids(story) == writer.records
    assert [job.status for job in story.jobs] == ["reused", "executed", "executed"]
    assert story.metrics[0].value == 0.5
    assert story.checks == ((True, "good"),)


def test_an_unknown_run_is_told_as_such(ledger: Ledger, store: Store) -> None:
    with pytest.raises(UnknownRunError, match="no run 'run_nothing'"):
        tell(ledger, store, "run_nothing")


def test_a_run_that_has_not_begun_has_no_story(ledger: Ledger, store: Store) -> None:
    with pytest.raises(NoStoryError, match=r"no record yet: it is queued"):
        tell(ledger, store, run_without_jobs(ledger))


def test_a_run_that_made_nothing_says_how_it_ended(ledger: Ledger, store: Store) -> None:
    error = {"message": "There is no stage 'x'."}
    facts = {"status": Status.FINISHED, "verdict": "error", "error": error}
    made_nothing = run_without_jobs(ledger, finished_at=utc_now(), **facts)
    with pytest.raises(NoStoryError, match=r"ended as error.*There is no stage 'x'\."):
        tell(ledger, store, made_nothing)
    assert tell(ledger, store, made_nothing, whole=False).jobs == ()


def test_a_lost_record_is_named(ledger: Ledger, store: Store) -> None:
    run = Writer(ledger, store).write()
    record = lose(ledger, store, run, "features")
    with pytest.raises(LostRecordError, match=rf"features \({record}\).*--force"):
        tell(ledger, store, run)
    story = tell(ledger, store, run, whole=False)
    assert story.by_name["features"].record is None
    assert list(story.stages) == ["departures"]
