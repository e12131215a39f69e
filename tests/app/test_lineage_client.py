"""Events reach a collector over HTTP, or it is said why they did not."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NoReturn

import pytest

from app.lineage_client import LineageRefusedError, LineageUrlError, send_events

EVENTS = [{"eventType": "START", "who": "Ädа"}, {"eventType": "COMPLETE"}]


class Collector(ThreadingHTTPServer):
    """A real server that keeps what it is sent, and answers as it is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[tuple[str, str, dict]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.hold = threading.Event()
        self.hold.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/v1/lineage"


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.hold.wait(30)
        told = (self.path, self.headers["Content-Type"], json.loads(body))
        self.server.taken.append(told)
        status, headers, content = (
            self.server.answers.pop(0) if self.server.answers else (201, {}, b"")
        )
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_each_event_is_posted_in_order(collector: Collector) -> None:
    send_events(EVENTS, collector.url)
    told = [("/api/v1/lineage", "application/json", event) for event in EVENTS]
    assert collector.taken == told


def test_a_refusal_is_told_in_the_collectors_words(collector: Collector) -> None:
    collector.answers = [(201, {}, b""), (422, {}, b"no such namespace")]
    with pytest.raises(LineageRefusedError, match=r"event 2 of 2: 422 .*no such namespace"):
        send_events(EVENTS, collector.url)


def test_a_redirection_is_not_followed_with_the_event_lost(collector: Collector) -> None:
    collector.answers = [(302, {"Location": "/elsewhere"}, b"")]
    with pytest.raises(LineageRefusedError, match="event 1 of 2: 302"):
        send_events(EVENTS, collector.url)
    assert len(collector.taken) == 1


def test_a_collector_that_is_silent_is_not_waited_for(collector: Collector) -> None:
    collector.hold.clear()
    with pytest.raises(LineageRefusedError, match=r"127\.0\.0\.1 did not take event 1.*timed out"):
        send_events(EVENTS, collector.url, seconds=0.2)


def test_nobody_at_the_address_is_told(collector: Collector) -> None:
    url = collector.url.replace(str(collector.server_port), "9")
    with pytest.raises(LineageRefusedError, match=r"did not take event 1 of 2: .*refused"):
        send_events(EVENTS, url)


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "file:///etc/passwd", "host/x", "http://", "https:///x"]
)
def test_only_web_addresses_are_taken(url: str) -> None:
    with pytest.raises(LineageUrlError, match="http:// or https://"):
        send_events(EVENTS, url)


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves this process: neither a connection nor a question for a name."""

    def connect(*_: object) -> NoReturn:
        raise AssertionError("connected")

    def addresses(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        if host == "rebound.example":
            return [(0, 0, 0, "", ("192.0.2.1", 0)), (0, 0, 0, "", ("fe80::1%2", 0, 0, 2))]
        return real(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)

    real = socket.getaddrinfo
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    monkeypatch.setattr(socket, "getaddrinfo", addresses)


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.0.7:5000",
        "169.254.169%2e254",
        "2852039166",
        "0xA9.254.43518",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "Metadata.Google.Internal.",
        "rebound.example",
    ],
)
def test_link_local_and_metadata_addresses_are_refused_unasked(host: str) -> None:
    with pytest.raises(LineageUrlError, match=r"link-local or metadata.*by its own address"):
        send_events(EVENTS, f"http://{host}/api/v1/lineage")


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.7", "192.168.1.1", "[fd12::1]"])
def test_a_collector_on_a_private_address_is_tried(host: str) -> None:
    with pytest.raises(AssertionError, match="connected"):
        send_events(EVENTS, f"http://{host}:5000/api/v1/lineage")
