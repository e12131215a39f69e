"""``provenote cancel``, and what a terminal is shown while a run goes on."""

import io
import threading
from typing import Any

import pytest
from rich.console import Console

from app.cli.bar import Bar
from app.cli.heard import Heard
from app.cli.progress import Progress
from provenance.ledger.cancel import cancel_run
from provenance.ledger.intake import CaseToRun
from provenance.ledger.states import Status
from provenance.ledger.tables import Evaluation, Run
from provenance.ledger.times import Took
from tests.app.cli.conftest import Desk
from tests.support.rows import add_evaluation, add_project, add_runs

CASE = CaseToRun("slow", {"n": 9}, {}, {"n": 9})
TOOK = Took(0.0, {0: 30.0, 2: 60.0}, 0.0, 3)


def doing(index: int) -> dict[str, Any]:
    return {"event": "doing", "index": index, "total": 3, "title": "t"}


def ended(index: int, seconds: float = 0.5) -> dict[str, Any]:
    return {"event": "cell", "index": index, "total": 3, "title": "Train", "seconds": seconds}


def printed(text: str) -> dict[str, Any]:
    return {"event": "log", "text": text, "cell": 0}


def test_what_is_cancelled_by_its_id_ends_and_what_has_ended_is_said_to_have(
    used_desk: Desk,
) -> None:
    with used_desk.home.ledger() as ledger:
        evaluation = add_evaluation(ledger, add_project(ledger), prepared=True)
        first, _ = add_runs(ledger, evaluation, 2)
        done = used_desk("cancel", first)
        assert (done.status, done.out) == (0, f"{first} is cancelled.\n")
        told = used_desk.json("cancel", evaluation.id)
        assert [run["verdict"] for run in told["runs"]] == ["cancelled", "cancelled"]
        with ledger.reading() as session:
            assert session.get_one(Evaluation, evaluation.id).verdict == "cancelled"
        again = used_desk("cancel", first)
        assert again.status == 0
        assert "had ended already: cancelled. Nothing was cancelled." in again.out


def test_a_worker_that_does_not_stop_in_time_is_told_of(used_desk: Desk) -> None:
    with used_desk.home.ledger() as ledger:
        evaluation = add_evaluation(ledger, add_project(ledger), prepared=True)
        (run_id,) = add_runs(ledger, evaluation, status=Status.RUNNING, attempt=1)
        done = used_desk("cancel", run_id, "--wait", "0.2")
        assert (done.status, "has not ended yet" in done.out) == (3, True)
        with ledger.writing() as session:
            row = session.get_one(Run, run_id)
            assert row.cancel_requested
            row.status, row.verdict = Status.FINISHED, "cancelled"
            cancel_run(session, run_id)  # which changes nothing


def test_what_nobody_knows_cannot_be_cancelled(used_desk: Desk) -> None:
    for unknown, code in (("run_0", "unknown_run"), ("eval_0", "unknown_evaluation")):
        assert used_desk.json("cancel", unknown, status=2)["error"]["code"] == code


def test_the_last_line_that_was_printed_is_shown_as_a_terminal_leaves_it() -> None:
    heard = Heard(None)
    assert heard.printed == ""
    for text in ("first\n", " 10%\r", " 55%\r 60%", "\x1b[32m done\x1b[0m"):
        heard.hear(printed(text))
    assert heard.printed == "60% done"
    heard.hear(ended(0))
    heard.hear(printed("next \x1b]0;title\x07 \u202e"))
    assert "\x1b" not in heard.printed
    assert "\u202e" not in heard.printed
    assert heard.printed.startswith("next")


def test_how_far_a_run_is_follows_from_what_is_heard() -> None:
    heard = Heard(TOOK)
    heard.hear({"event": "doing", "doing": "stage features"})
    assert (heard.now().doing, heard.now().cells_total) == ("stage features", None)
    heard.hear(doing(0))
    heard.hear(ended(0))
    heard.hear(doing(2))
    now = heard.now()
    assert (now.doing, now.cells_done, now.cells_total) == ("cell 3", 1, 3)
    assert now.expected == 90.0
    assert now.left == pytest.approx(60.0, abs=5)


def test_a_bar_shows_cells_time_and_the_last_line_in_the_width_there_is() -> None:
    called_off = threading.Event()
    heard = Heard(TOOK, called_off)
    heard.hear(doing(2))
    heard.hear({"event": "log", "text": "loss 0.1 " * 40, "cell": 2})
    for width in (40, 120):
        console = Console(file=io.StringIO(), width=width)
        console.print(Bar(console, "slow (n=9)", heard).render())
        lines = console.file.getvalue().splitlines()
        assert len(lines) == 2, lines
        assert "loss 0.1" in lines[1]
    assert "cell 3 of 3" in lines[0]
    assert "of the usual 90.0 s" in lines[0]
    called_off.set()
    console.print(Bar(console, "slow (n=9)", heard).render())
    assert "Ctrl-C again stops at once" in console.file.getvalue()


def test_a_file_gets_few_lines_of_many_cells(capfd: pytest.CaptureFixture[str]) -> None:
    with Progress(CASE, TOOK) as progress:
        for index in range(3):
            for _ in range(100):
                progress.hear(printed("again and again\n"))
            progress.hear(ended(index))
    assert capfd.readouterr().err == "", "all of it took less than a second"
