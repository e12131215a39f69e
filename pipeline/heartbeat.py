"""The heartbeat of a claim: alive as long as its work, and heard by it when it has to end."""

import threading
import time

import structlog
from sqlalchemy.exc import SQLAlchemyError

from provenance.ledger.claims import Claim, cancel_requested, heartbeat
from provenance.ledger.engine import Ledger

LOOK_SECONDS = 0.25
"""How often is looked whether somebody asked for the end: one row is read by its id."""
_log = structlog.get_logger()


class Heartbeat:
    """Prolongs a claim every quarter of its lease, in a thread of its own.

    ``lost`` is set when the claim is another's, or when no beat succeeded for 0.7 of the
    lease: the work must stop before anyone else may start it. ``cancelled`` is set when
    somebody asked for the end; that is looked for more often, since somebody waits.
    """

    def __init__(self, ledger: Ledger, claim: Claim, lease: float) -> None:
        self.lost = threading.Event()
        self.cancelled = threading.Event()
        self._ledger = ledger
        self._claim = claim
        self._lease = lease
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating; the claim is finished, or given up."""
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(min(LOOK_SECONDS, self._lease / 4)):
            try:
                if time.monotonic() - last >= self._lease / 4 and self._prolong():
                    last = time.monotonic()
                self._look_for_cancel()
            except SQLAlchemyError as error:
                _log.warning("heartbeat failed", work=self._claim.id, error=str(error))
            if time.monotonic() - last > 0.7 * self._lease:
                self.lost.set()
            if self.lost.is_set():
                return

    def _prolong(self) -> bool:
        with self._ledger.writing() as session:
            held = heartbeat(session, self._claim, self._lease)
        if not held:
            self.lost.set()
        return held

    def _look_for_cancel(self) -> None:
        with self._ledger.reading() as session:
            if cancel_requested(session, self._claim):
                self.cancelled.set()
