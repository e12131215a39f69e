"""The worker: Celery's consumer, the slots that do the work, and the tick."""

import gc
import threading
import warnings

import structlog
from celery.exceptions import SecurityWarning
from celery.signals import worker_ready, worker_shutting_down

from app.assemble import assemble, make_ready
from app.settings import Settings
from app.work.broker import EVALUATE, PREPARE, make_celery
from app.work.doorbell import CeleryDoorbell
from app.work.housekeeping import Housekeeping
from app.work.reconcile import sweep, take_back
from app.work.slots import Slots
from app.work.tick import Tick

_log = structlog.get_logger()
_CONSUMER = (
    *("--quiet", "worker", "--loglevel=WARNING"),
    "--pool=threads",  # what is executed has processes of its own: the runners
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)


def run_worker(settings: Settings) -> None:
    """Work until asked to stop; SIGTERM lets the runs at hand finish, within the drain time."""
    installation = assemble(settings, sources=True)
    make_ready(settings, installation)
    level = installation.isolation.level  # where more is required than there is, nothing starts
    celery = make_celery(settings)
    doorbell = CeleryDoorbell(settings)
    slots = Slots(installation, settings.lease_seconds, doorbell, settings.proof_runs)
    tick = Tick(settings, installation, doorbell, slots.hosts.tend)
    housekeeping = Housekeeping(installation)
    celery.task(name=PREPARE)(slots.prepare)
    celery.task(name=EVALUATE)(slots.evaluate)

    def ready(**_: object) -> None:
        take_back(installation)
        sweep(installation)
        slots.start(settings.workers)
        tick.start()
        housekeeping.start()
        # What is here now stays: no collection needs to look at it again.
        gc.collect()
        gc.freeze()
        _log.info("worker ready", slots=settings.workers, containment=level)

    def shutting_down(**_: object) -> None:
        tick.stop()
        housekeeping.stop()
        slots.closed.set()
        timer = threading.Timer(settings.drain_seconds, slots.let_go.set)
        timer.daemon = True
        timer.start()

    # Celery warns of messages that could hold pickles; only JSON is accepted here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker_ready.connect(ready)
    worker_shutting_down.connect(shutting_down)
    try:
        celery.worker_main([*_CONSUMER, f"--concurrency={settings.workers}"])
    finally:
        slots.stop()
