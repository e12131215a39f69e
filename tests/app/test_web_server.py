"""The web server among clients that do not behave."""

import socket
import urllib.request
from pathlib import Path

import pytest

from tests.support.processes import LONG, free_port, make_home
from tests.support.waiting import wait_for


def answers(port: int, seconds: float) -> bool:
    try:
        address = f"http://127.0.0.1:{port}/healthz"
        with urllib.request.urlopen(address, timeout=seconds) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.mark.slow
def test_connections_that_fall_silent_let_go_of_their_threads(tmp_path: Path):
    home, port = make_home(tmp_path, tmp_path), free_port()
    home.start("web", "--port", str(port), log=tmp_path / "log", WEB_THREADS="2")
    silent = []
    try:
        wait_for(lambda: answers(port, 2), "the pages to be served", LONG)
        for _ in range(2):  # as many as there are threads
            silent.append(socket.create_connection(("127.0.0.1", port)))
            silent[-1].send(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        assert answers(port, LONG), (tmp_path / "log").read_text()
    finally:
        for one in silent:
            one.close()
        home.kill()
