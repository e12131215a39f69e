"""Which pages are found by words that very many of them have."""

from collections.abc import Sequence

import pytest

from provenance.ledger.engine import Ledger
from provenance.ledger.text_tables import PageHead, PageText
from provenance.ledger.word_search import MOST_PAGES, pages_with, runs_with
from provenance.ledger.words import write_words
from tests.support.rows import add_project

PAGES, APART = 1_000, 60


@pytest.fixture
def pages(ledger: Ledger) -> None:
    """A thousand pages, the older ones long since without their neighbours."""
    project = add_project(ledger)
    with ledger.writing() as session:
        for number in range(PAGES):
            page = PageText(html=f"page{number}", project_id=project.id, names="weather")
            page.id = number * APART + 1
            session.add(page)
        session.flush()
        for number in range(PAGES):
            write_words(session, number * APART + 1, _says(number))


def _says(number: int) -> str:
    words = ["every"]
    words += ["third"] if number % 3 == 0 else []
    words += ["lately"] if number >= PAGES - 30 else []
    words += ["once"] if number < 120 else []
    words += ["both"] if number < 90 or number >= PAGES - 10 else []
    return " ".join(words)


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(
    ("word", "numbers"),
    [
        ("every", range(PAGES)),
        ("third", range(0, PAGES, 3)),
        ("lately", range(PAGES - 30, PAGES)),
        ("once", range(120)),
        ("both", [*range(90), *range(PAGES - 10, PAGES)]),
        ("never", ()),
    ],
)
def test_the_newest_pages_that_say_a_word_are_found_wherever_they_lie(
    ledger: Ledger, word: str, numbers: Sequence[int]
) -> None:
    newest = [f"page{number}" for number in sorted(numbers, reverse=True)[:MOST_PAGES]]
    with ledger.reading() as session:
        assert pages_with(session, [word]) == newest
        assert pages_with(session, [word, "every"]) == newest
        assert pages_with(session, [word[:3], "weather"]) == newest


def _newest_run(number: int) -> str:
    """Return the newest run of a page: every seventh is still made, however old it is."""
    return f"run_{number + PAGES * (number % 7 == 0):06}"


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("word", ["every", "third", "lately", "once", "both", "never"])
def test_their_newest_runs_come_in_order_however_old_the_pages_are(
    ledger: Ledger, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provenance.ledger.word_search._LEAST_STEP", 40)
    with ledger.writing() as session:
        for number in range(PAGES - 5):  # the last ones are of runs about other runs
            head = PageHead(page_id=number * APART + 1, run_id=_newest_run(number))
            session.add(head)
    numbers = [number for number in range(PAGES - 5) if word in _says(number).split()]
    expected = sorted(map(_newest_run, numbers), reverse=True)
    found, after = list[str](), None
    with ledger.reading() as session:
        while more := runs_with(session, [word], 51, after):
            assert len(more) <= 51
            found, after = found + more, more[-1]
    assert found == expected
