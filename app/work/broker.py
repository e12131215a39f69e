"""Where the doorbell hangs: Celery's application, made from the settings."""

from pathlib import Path
from typing import Any

from celery import Celery

from app.settings import Settings
from app.work import folder

PREPARE = "provenote.prepare_evaluation"
EVALUATE = "provenote.evaluate_run"
_PUBLISH_RETRIES = {"max_retries": 2, "interval_start": 0.2, "interval_step": 0.3}


def make_celery(settings: Settings) -> Celery:
    """Return the Celery application of *settings*; it carries ids, and nothing that matters.

    A message is acknowledged as soon as it is read, since the ledger remembers what a lost
    one meant; results go into the ledger as well.
    """
    folder.register()
    broker = settings.broker_url or f"{folder.SCHEME}://"
    celery = Celery("provenote", broker=broker, set_as_current=False)
    celery.conf.update(
        accept_content=["json"],
        broker_connection_max_retries=None,
        broker_connection_retry_on_startup=True,
        broker_transport_options={} if settings.broker_url else folder_options(settings),
        task_default_queue="provenote",
        task_ignore_result=True,
        task_publish_retry_policy=_PUBLISH_RETRIES,
        task_serializer="json",
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
    )
    return celery


def broker_folder(settings: Settings) -> Path:
    """Return the folder that serves as broker where none is set."""
    return settings.home / "broker"


def folder_options(settings: Settings) -> dict[str, Any]:
    """Return the options of the folder that serves as broker, and make what lies in it.

    All of them lie on one disk: messages are moved by renaming.
    """
    make_folders(settings)
    queue = str(broker_folder(settings) / "queue")
    return {
        "data_folder_in": queue,
        "data_folder_out": queue,
        "control_folder": str(broker_folder(settings) / "control"),
        "processed_folder": str(broker_folder(settings) / "processed"),
        "store_processed": False,
        "polling_interval": 0.1,
    }


def make_folders(settings: Settings) -> None:
    """Make the broker's folders, where they are missing."""
    if not settings.broker_url:
        for name in ("queue", "control", "processed"):
            (broker_folder(settings) / name).mkdir(parents=True, exist_ok=True)
