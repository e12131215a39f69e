"""The doorbell: tells workers that the ledger holds something new. It may be lost safely."""

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import structlog

from app.settings import Settings

if TYPE_CHECKING:
    from celery import Celery

_log = structlog.get_logger()


class Doorbell(Protocol):
    """Tells workers, after the commit, that there is work; carries identifiers only.

    Everything that matters is in the ledger already, so an implementation logs a ring that
    failed and never raises: the reconciler finds the work all the same.
    """

    def ring_evaluation(self, evaluation_id: str) -> None:
        """Say that an evaluation waits to be prepared."""
        ...

    def ring_run(self, run_id: str) -> None:
        """Say that a run waits to be executed."""
        ...


class SilentDoorbell:
    """Rings nowhere: for work that its maker executes itself, and for tests."""

    def ring_evaluation(self, evaluation_id: str) -> None:
        """Do nothing; the evaluation stays queued until somebody looks."""

    def ring_run(self, run_id: str) -> None:
        """Do nothing; the run stays queued until somebody looks."""


class CeleryDoorbell:
    """Rings by a Celery message."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _celery(self) -> "Celery":
        from app.work.broker import make_celery  # takes half a second: not at start-up

        return make_celery(self._settings)

    def warm_up(self) -> None:
        """Import what the first ring needs, so that nobody waits for it."""
        self._celery.amqp  # noqa: B018 - makes Celery import its producers

    def ring_evaluation(self, evaluation_id: str) -> None:
        """Send the evaluation's id to whoever prepares evaluations."""
        from app.work.broker import PREPARE

        self._send(PREPARE, evaluation_id)

    def ring_run(self, run_id: str) -> None:
        """Send the run's id to whoever executes runs."""
        from app.work.broker import EVALUATE

        self._send(EVALUATE, run_id)

    def _send(self, task: str, row_id: str) -> None:
        try:
            self._celery.send_task(task, args=[row_id])
        except Exception as error:
            # Whatever the broker's library raises: the ledger has it, the tick will ring.
            _log.warning("the doorbell did not ring", task=task, id=row_id, error=str(error))
