"""The web server: gunicorn with threads, one process."""

import gc
import socket
import struct
import threading
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from app.assemble import assemble, make_ready
from app.factory import create_app
from app.served import remember_address
from app.settings import Settings
from app.work.doorbell import CeleryDoorbell

SILENCE_SECONDS = 15
"""How long a connection may stand still in the middle of a request or an answer."""


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's threads, which wait for a silent connection for a while and not for ever."""

    def handle(self, conn: Any) -> Any:
        """Answer what comes over one connection."""
        # By the kernel's own time-outs, because gunicorn sets those of Python anew.
        limit = struct.pack("ll", SILENCE_SECONDS, 0)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            conn.sock.setsockopt(socket.SOL_SOCKET, option, limit)
        return super().handle(conn)


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn, configured by us alone: no file and no variable of its own is read."""

    def __init__(self, settings: Settings, address: str) -> None:
        self._settings = settings
        self._address = address
        super().__init__()

    def load_config(self) -> None:
        """Set what differs from gunicorn's defaults."""
        chosen: dict[str, Any] = {
            "accesslog": None,
            "bind": [self._address],
            "control_socket_disable": True,
            "graceful_timeout": 5,
            "limit_request_line": 8190,
            "loglevel": "warning",
            "threads": self._settings.web_threads,
            "timeout": 120,
            "when_ready": self._when_ready,
            "worker_class": f"{__name__}.{PatientWorker.__name__}",
            "workers": 1,
        }
        for name, value in chosen.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def _when_ready(self, _arbiter: Any) -> None:
        remember_address(self._settings.home, self._settings.base_url)

    def load(self) -> Flask:
        """Make the application, in the process that serves it."""
        doorbell = CeleryDoorbell(self._settings)
        app = create_app(self._settings, doorbell)
        threading.Thread(target=_settle, args=(doorbell,), daemon=True).start()
        return app


def _settle(doorbell: CeleryDoorbell) -> None:
    """Import what rings, and let the collector of garbage never look again at what is here then:
    it took a tenth of a second of a request now and then."""
    doorbell.warm_up()
    gc.collect()
    gc.freeze()


def run_server(settings: Settings, host: str, port: int) -> None:
    """Serve until asked to stop."""
    make_ready(settings, assemble(settings))
    _Server(settings, f"[{host}]:{port}" if ":" in host else f"{host}:{port}").run()
