"""What the story of a run says of the sources that its stages have read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from provenance.explain.pairs import Kept
from provenance.explain.tell import tell
from provenance.ledger.engine import Ledger
from provenance.store import Store
from provenance.story import JobFacts, Story, load_story
from tests.provenance.explain.conftest import with_job
from tests.support.stories import Writer


def test_rows_are_told_with_their_instant_and_how_late_the_source_was(
    ledger: Ledger, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    run = Writer(ledger, store).write()
    with ledger.reading() as session:
        story = load_story(session, store, run)
    assert told_of(story, {"rows": 7}) == "gave 7 rows to departures"
    query = {"rows": 26398, "as_of": "2026-03-01T14:00:00+02:00"}
    said = "gave 26,398 rows to departures, as of 2026-03-01 12:00:00 UTC"
    assert told_of(story, query) == said
    late = query | {"replayed_to": "2026-03-01T11:50:00+00:00"}
    assert told_of(story, late) == f"{said}, 10 min behind"


def told_of(story: Story, query: dict[str, Any]) -> str:
    """Return what is told of the source, had *query* been carried out."""

    def changed(job: JobFacts) -> JobFacts:
        assert job.record is not None
        return replace(job, record=replace(job.record, extra={"queries": [query]}))

    telling = tell(with_job(story, "departures", changed), Kept(lambda _: None))
    (line,) = [line for line in telling.lines if line.subject == "source replica"]
    return line.sentence
