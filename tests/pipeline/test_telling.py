"""What is told of an attempt while it goes on."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.kernels.printing import MOST_CHARACTERS, Printing
from pipeline.live_rows import MAX_LOG_ROWS, MAX_LOG_TEXT, LiveRows
from pipeline.telling import Telling
from provenance.ledger.claims import Claim, release
from provenance.ledger.engine import Ledger
from provenance.ledger.tables import Run, RunEvent
from tests.support.claiming import row, take
from tests.support.rows import add_evaluation, add_project, add_runs


@pytest.fixture
def claimed(ledger: Ledger) -> Claim:
    (run_id,) = add_runs(ledger, add_evaluation(ledger, add_project(ledger)))
    return take(ledger, run_id)


def doing(index: int) -> dict[str, Any]:
    return {"event": "doing", "index": index, "total": 3, "title": f"Cell {index}"}


def ended(index: int, **values: Any) -> dict[str, Any]:
    return {"event": "cell", "index": index, "total": 3, "title": "t", "seconds": 0.5, **values}


def printed(text: str, cell: int | None = None) -> dict[str, Any]:
    return {"event": "log", "text": text} | ({} if cell is None else {"cell": cell})


def rows(ledger: Ledger, kind: str) -> list[dict[str, Any]]:
    query = select(RunEvent).where(RunEvent.kind == kind).order_by(RunEvent.seq)
    with ledger.reading() as session:
        return [event.payload for event in session.scalars(query)]


def test_what_a_cell_prints_is_one_row_until_the_cell_has_ended(
    ledger: Ledger, claimed: Claim
) -> None:
    telling = Telling(ledger, claimed, None)
    for event in (doing(1), printed("a\n", 1), printed("b\n", 1)):
        telling.hear(event)
        telling.flush()
    assert rows(ledger, "at_work") == [{"cell": 1, "title": "Cell 1", "text": "a\nb\n"}]
    assert row(ledger, claimed.id).doing == "cell 2"
    telling.hear(ended(1, image="data:image/png;base64,AAAA"))
    telling.flush()
    assert rows(ledger, "at_work") == rows(ledger, "log") == []
    (figure,), (cell,) = rows(ledger, "figure"), rows(ledger, "cell")
    assert figure == {"image": "data:image/png;base64,AAAA"}
    assert "image" not in cell
    found = row(ledger, claimed.id)
    assert (found.cells_done, found.cells_total) == (2, 3)
    assert found.cell_at is not None


def test_what_was_not_written_is_written_the_next_time_and_once(
    ledger: Ledger, claimed: Claim
) -> None:
    live = LiveRows(claimed)
    events = [doing(1), printed("a\n", 1)]
    with ledger.reading() as session:
        live.write(session, events)  # and never committed
    with ledger.writing() as session:
        live.write(session, events)
    live.written()
    assert [found["text"] for found in rows(ledger, "at_work")] == ["a\n"]


def test_a_log_without_end_stays_a_bounded_number_of_rows(ledger: Ledger, claimed: Claim) -> None:
    live = LiveRows(claimed)
    with ledger.writing() as session:
        for number in range(MAX_LOG_ROWS + 50):
            live.write(session, [printed(f"line {number}\n")])
            live.written()
    texts = [found["text"] for found in rows(ledger, "log")]
    assert len(texts) <= MAX_LOG_ROWS
    assert texts[-1] == f"line {MAX_LOG_ROWS + 49}\n"


def test_a_flood_in_the_log_shows_its_end(ledger: Ledger, claimed: Claim) -> None:
    telling = Telling(ledger, claimed, None)
    for number in range(3):
        telling.hear(printed(f"{number}" * 100_000))
    telling.hear(printed("the end\n"))
    telling.flush()
    (log,) = rows(ledger, "log")
    assert log["text"].endswith("2the end\n")
    assert len(log["text"]) <= MAX_LOG_TEXT


def test_cells_of_a_stage_are_not_those_that_the_run_counts(ledger: Ledger, claimed: Claim) -> None:
    heard: list[dict[str, Any]] = []
    telling = Telling(ledger, claimed, heard.append)
    telling.tell("stage clean")
    telling.begin(of_report=False)
    for event in (doing(1), printed("from the stage\n", 1), ended(1)):
        telling.hear(event)
    telling.flush()
    found = row(ledger, claimed.id)
    assert (found.doing, found.cells_total) == ("stage clean, cell 2 of 3", None)
    assert rows(ledger, "cell") == rows(ledger, "at_work") == []
    assert [log["text"] for log in rows(ledger, "log")] == ["from the stage\n"]
    assert [event["event"] for event in heard] == ["doing", "doing", "log"]
    assert telling.took().cells == {}


def test_how_the_time_was_spent_is_known_cell_by_cell(ledger: Ledger, claimed: Claim) -> None:
    telling = Telling(ledger, claimed, None)
    for event in (doing(0), ended(0), doing(2), ended(2, seconds=0.25)):
        telling.hear(event)
    took = telling.took()
    assert (dict(took.cells), took.total) == ({0: 0.5, 2: 0.25}, 3)
    assert took.before >= 0
    assert took.after >= 0


def test_much_that_is_printed_at_once_is_passed_on_in_few_pieces() -> None:
    pieces: list[tuple[int, str]] = []

    async def cell() -> None:
        printing = Printing(lambda index, text: pieces.append((index, text)))
        for number in range(10_000):
            printing.take(4, f"line {number}\n")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        printing.take(4, "the last word")
        await asyncio.sleep(0.2)
        printing.take(4, "never passed on")
        printing.forget()
        await asyncio.sleep(0.2)

    asyncio.run(cell())
    assert [index for index, _ in pieces] == [4, 4]
    assert pieces[0][1].endswith("line 9999\n")
    assert len(pieces[0][1]) <= MOST_CHARACTERS
    assert pieces[1][1] == "the last word"


def test_a_run_that_is_given_back_has_said_nothing(ledger: Ledger, claimed: Claim) -> None:
    telling = Telling(ledger, claimed, None)
    telling.hear(doing(1))
    telling.flush()
    with ledger.writing() as session:
        release(session, claimed)
    assert rows(ledger, "at_work") == []
    found: Run = row(ledger, claimed.id)
    assert (found.cell_at, found.cells_total, found.doing) == (None, None, None)
