"""A run that is under way: what its page shows, and the news that the page asks for."""

from dataclasses import dataclass

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.current import installation
from app.progress import printed_lines
from provenance.ledger.finding import find_run
from provenance.ledger.queries.live import Live, Seen, live_of, seen_of
from provenance.ledger.queries.progress import Progress, progress_of
from provenance.ledger.states import ENDED, Status
from provenance.ledger.tables import Run
from provenance.text import readable

_PACE = {Status.QUEUED: 1000, Status.RUNNING: 200}
_LOAD_AGAIN = {"HX-Refresh": "true"}


@dataclass(frozen=True)
class LiveView:
    """What a page shows of a run that has not ended."""

    said: Live
    progress: Progress
    seen: str
    """What the page sends back when it asks for news."""
    pace: int
    """Milliseconds until it asks."""


def live(run_id: str) -> ResponseReturnValue:
    """Answer a page that waits: nothing new, what is new, or "load me again"."""
    with installation().ledger.reading() as session:
        found = find_run(session, run_id)
        if found.status in ENDED:
            return Response(status=204, headers=_LOAD_AGAIN)
        before, now = Seen.read(request.args.get("seen", "")), seen_of(session, found)
        if before is None or not before.goes_on_in(now):
            return Response(status=204, headers=_LOAD_AGAIN)
        if before == now:
            return Response(status=204)
        news = _view(session, found, now, before.seq)
    return render_template("archive/live.html", run=found, live=news, is_news=True)


def live_view(session: Session, run: Run) -> LiveView:
    """Return all that there is to show of *run*."""
    return _view(session, run, seen_of(session, run), 0)


def _view(session: Session, run: Run, seen: Seen, after: int) -> LiveView:
    # What is read now may be newer than what is said to be seen: it then comes once more.
    progress = progress_of(session, [run])[run.id]
    said = live_of(session, run.id, after)
    return LiveView(said, progress, str(seen), _PACE[run.status])


def printed(text: str) -> str:
    """Return what code has printed without colours, and with its lines as a terminal has them."""
    return readable(printed_lines(text))
