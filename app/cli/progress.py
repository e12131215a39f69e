"""How a run is shown on a terminal while it goes on."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from app.cli.output import plain
from pipeline.step import RENDERED_ANEW, REPORT
from provenance.ledger.intake import CaseToRun

_MARKS = {"passed": "[green]✓ passed[/]", "failed": "[red]✕ failed[/]"}


class Progress:
    """Tells on standard error what a run is doing, and how it ended."""

    def __init__(self, case: CaseToRun) -> None:
        self._console = Console(stderr=True, highlight=False)
        told = ", ".join(f"{name}={value}" for name, value in case.case.items())
        self._title = escape(f"{case.report} ({told})" if told else case.report)
        self._status: Status | None = None
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        """Begin to show."""
        if sys.stderr.isatty():
            self._status = self._console.status(self._title)
            self._status.start()
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
        if self._status is not None:
            self._status.stop()
            self._status = None

    def hear(self, event: Mapping[str, Any]) -> None:
        """Show one event of the run."""
        match event["event"]:
            case "stage":
                self._line(
                    f"  {escape(event['stage'])}: {event['status']} in {event['seconds']:.2f} s"
                    f" [dim]({escape(plain(event['sentence']))})[/]"
                )
            case "log" if event.get("said"):  # by us, and not by the project's code
                self._line(f"  {escape(plain(event['text'].strip()))}")
            case "doing" if "index" in event:
                self._update(f"cell {event['index'] + 1} of {event['total']}")
            case "doing":
                self._update(str(event["doing"]))

    def _update(self, doing: str) -> None:
        if self._status is not None:
            self._status.update(f"{self._title} · {escape(doing)}")

    def _line(self, text: str) -> None:
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
        said = plain(error["message"])
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
