"""The tick: every second a look for work that nobody was rung for, now and then a clean-up."""

from collections.abc import Callable

from app.settings import Settings
from app.work.broker import make_folders
from app.work.doorbell import Doorbell
from app.work.indexing import read_pages
from app.work.owner import owner_name
from app.work.reconcile import sweep, take_back
from app.work.rounds import Rounds
from pipeline.host import this_host
from pipeline.installation import Installation
from provenance.ledger.claims import mark_rung, owners, waiting
from provenance.ledger.tables import Evaluation, Run

_LOOK_SECONDS = 1.0
_CLEAN_SECONDS = 15.0
_READ_SECONDS = 0.3


class Tick(Rounds):
    """Rings again for what was lost, and lets the reconciler clean up."""

    def __init__(
        self,
        settings: Settings,
        installation: Installation,
        doorbell: Doorbell,
        tend: Callable[[], None] = lambda: None,
    ) -> None:
        """*tend* ends what the worker itself keeps ready and nobody has needed for long."""
        self._settings = settings
        self._installation = installation
        self._doorbell = doorbell
        super().__init__(
            *((_CLEAN_SECONDS, clean) for clean in (self._take_back, self._sweep, tend)),
            (_LOOK_SECONDS, self.ring_for_waiting),
            (_LOOK_SECONDS, self._read_pages),
        )

    def _take_back(self) -> None:
        take_back(self._installation)

    def _read_pages(self) -> None:
        read_pages(self._installation, _READ_SECONDS)

    def _sweep(self) -> None:
        sweep(self._installation)

    def ring_for_waiting(self) -> None:
        """Ring for the oldest queued work, for as much as this worker has room for."""
        make_folders(self._settings)
        ledger = self._installation.ledger
        with ledger.reading() as session:
            held = owners(session, Run, this_host())
            busy = sum(owner == owner_name() for owner in held.values())
            room = max(0, self._settings.workers - busy)
            evaluations = waiting(session, Evaluation, self._settings.workers)
            runs = waiting(session, Run, room)
        if not evaluations and not runs:
            return
        with ledger.writing() as session:
            mark_rung(session, Evaluation, evaluations)
            mark_rung(session, Run, runs)
        for evaluation_id in evaluations:
            self._doorbell.ring_evaluation(evaluation_id)
        for run_id in runs:
            self._doorbell.ring_run(run_id)
