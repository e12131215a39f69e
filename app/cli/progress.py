"""How a run is shown on a terminal while it goes on."""

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape

from app.cli.bar import Bar
from app.cli.heard import Heard
from app.cli.output import plain
from app.progress import left_words, state_words
from pipeline.step import RENDERED_ANEW, REPORT
from provenance.ledger.intake import CaseToRun
from provenance.ledger.queries.progress import Progress as Stands
from provenance.ledger.times import Took

_MARKS = {"passed": "[green]✓ passed[/]", "failed": "[red]✕ failed[/]"}
_CELL_PAUSE = 1.0
_PRINTED_PAUSE = 10.0
"""In a log file: seconds between lines about cells, and about what one of them prints."""


class Progress:
    """Tells on standard error what a run is doing, and how it ended.

    On a terminal a bar moves; into a file or a pipe go lines, and not too many of them.
    """

    def __init__(
        self,
        case: CaseToRun,
        expected: Took | None = None,
        called_off: threading.Event | None = None,
    ) -> None:
        """Tell of a run of *case*, which is expected to spend its time as *expected*.

        *called_off* is set when somebody at the terminal wants its end.
        """
        self._console = Console(stderr=True, highlight=False)
        told = ", ".join(f"{name}={value}" for name, value in case.case.items())
        self._title = escape(f"{case.report} ({told})" if told else case.report)
        self._heard = Heard(expected, called_off)
        self._bar: Bar | None = None
        self._started = time.monotonic()
        self._said = self._started

    def __enter__(self) -> Self:
        """Begin to show."""
        if sys.stderr.isatty():
            self._bar = Bar(self._console, self._title, self._heard)
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop showing."""
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def hear(self, event: Mapping[str, Any]) -> None:
        """Show one event of the run."""
        self._heard.hear(event)
        match event["event"]:
            case "stage":
                self._line(
                    f"  {escape(event['stage'])}: {event['status']} in {event['seconds']:.2f} s"
                    f" [dim]({escape(plain(event['sentence']))})[/]"
                )
            case "log" if event.get("said"):  # by us, and not by the project's code
                self._line(f"  {escape(plain(event['text'].strip()))}")
            case "log" if self._is_time_for_a_line(_PRINTED_PAUSE):
                self._line(f"  [dim]{escape(self._where())}: {escape(self._heard.printed)}[/]")
            case "cell" if self._is_time_for_a_line(_CELL_PAUSE):
                self._line(f"  {escape(_of_cell(event))}[dim]{escape(self._left())}[/]")

    def show(self, stands: Stands) -> None:
        """Show how far a run is that a worker carries out."""
        self._heard.look(stands)

    def _is_time_for_a_line(self, pause: float) -> bool:
        return self._bar is None and time.monotonic() - self._said > pause

    def _where(self) -> str:
        return state_words(self._heard.now())

    def _left(self) -> str:
        left = left_words(self._heard.now())
        return f", {left}" if left else ""

    def _line(self, text: str) -> None:
        self._said = time.monotonic()
        self._console.print(text, soft_wrap=True)

    def finish(self, run: Mapping[str, Any], page: Path | None) -> None:
        """Show how the run ended."""
        self._stop()
        mark = _MARKS.get(run["verdict"], f"[red]! {run['verdict']}[/]")
        how = _reused(run["jobs"]) if run["reused"] else f"{self._seconds():.1f} s"
        self._line(f"{mark}  {self._title}  [dim]{escape(how)}[/]  {run['id']}")
        for check in run["checks"]:
            if not check["ok"]:
                self._line(f"  [red]✕[/] {escape(plain(check['message']))}")
        if run["error"]:
            self._error(run["error"])
        if page is not None:
            self._line(f"  {escape(str(page))}")

    def _error(self, error: Mapping[str, Any]) -> None:
        where = " ".join(str(error[part]) for part in ("stage", "where") if error.get(part))
        said = "\n".join(plain(line) for line in error["message"].split("\n"))
        self._line(f"  {escape(plain(where))}{': ' if where else ''}{escape(said)}")
        for part in ("traceback", "hint"):
            if error.get(part):
                lines = "\n".join(plain(line) for line in error[part].split("\n"))
                self._line(f"[dim]{escape(lines)}[/]")

    def _seconds(self) -> float:
        return time.monotonic() - self._started


def _reused(jobs: Sequence[Mapping[str, Any]]) -> str:
    """Say what was done although the report's result was reused."""
    told = []
    executed = [job["stage"] for job in jobs if job["status"] == "executed"]
    if executed:
        told.append(f"stages executed: {', '.join(executed)}")
    if any(job["stage"] == REPORT and RENDERED_ANEW in job["sentence"] for job in jobs):
        told.append(RENDERED_ANEW)
    return "; ".join(["report reused", *told]) if told else "reused, nothing has changed"


def _of_cell(event: Mapping[str, Any]) -> str:
    title = f" ({plain(event['title'])})" if event["title"] else ""
    return f"cell {event['index'] + 1} of {event['total']}{title} in {event['seconds']:.1f} s"
