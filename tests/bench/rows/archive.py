"""Pages, searches and lists of an archive of a thousand, and of a million runs."""

import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPException
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import quote

from pipeline.processes import end_with_parent
from provenance.ledger.engine import Ledger
from provenance.ledger.migrate import upgrade
from tests.bench.archive_seed import Seeded, seed
from tests.bench.commands import PROVENOTE, environ_of
from tests.bench.figures import BYTES, Figure, Goal, Table
from tests.bench.folders import make_home
from tests.bench.place import Place
from tests.bench.servers import free_port, stop
from tests.bench.service import Client
from tests.support.browsing import CHROMIUM, chromium
from tests.support.postgres import postgresql_binaries, postgresql_server

_FEW, _MANY = 1_000, 1_000_000
_ROUNDS, _P95, _LARGEST, _START_SECONDS = 40, 0.050, 100_000.0, 60.0
_VISITS, _USABLE = 10, 0.300
_WORDS = (
    "Ten projects of four reports and five cases; all runs of one project, a tenth of all, have "
    f"recorded 20 metrics. Each address {_ROUNDS} times over one connection, with other runs, "
    "commits and words each time, after three that do not count; the ledger is in {}, the web "
    "server by itself."
)
_ADDRESSES = {
    "home": "/",
    "a project": "/projects/project-0",
    "a report with its trends": "/projects/project-0/reports/report_1",
    "a case of it": "/projects/project-0/reports/report_1?case=case3",
    "an older page of it": "/projects/project-0/reports/report_1?before={run}",
    "a run": "/runs/{run}",
    "its provenance": "/runs/{run}/provenance",
    "search: a word": "/search?q={word}",
    "search: two words as one types": "/search?brief=1&q={word}+common",
    "search: a commit": "/search?q={sha}",
    "search: a metric": "/search?q=metric.m3%3E99",
    "search: a parameter": "/search?q=param.date:2013-03",
    "search: what failed of a report": "/search?q=status:failed+report:report_2",
    "search: what is not there": "/search?q=param.date:2099+actor:nobody",
    "the latest of a report": "/latest/project-0/report_1",
    "a feed": "/projects/project-0/reports/report_1/feed.atom",
    "API: runs": "/api/v1/runs?project=project-0&limit=50",
    "API: runs of a case": "/api/v1/runs?report=report_1&param.n=3&limit=50",
}


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield a table for each kind and size of ledger."""
    for kind, runs in (("SQLite", _FEW), ("SQLite", _MANY), ("PostgreSQL", _MANY)):
        folder = place.new(f"archive-{kind}-{runs}")
        binaries = postgresql_binaries()
        if kind == "PostgreSQL" and binaries is None:
            place.leave_out("PostgreSQL", "its server is not installed")
            continue
        with ExitStack() as stack:
            home = make_home(folder, place.environments)
            url = f"sqlite:///{home / 'ledger.sqlite'}"
            if kind == "PostgreSQL" and binaries is not None:
                url = f"{stack.enter_context(postgresql_server(binaries))}/postgres"
            began = time.monotonic()
            seeded = _seeded(url, runs)
            print(f"{runs:,} runs are in {kind} after {time.monotonic() - began:.0f} s")
            client = stack.enter_context(_web(folder, home, url))
            yield _table(client, seeded, kind, runs)
            if runs == _MANY and kind == "SQLite":
                yield from _in_a_browser(place, client.address)


def _seeded(url: str, runs: int) -> Seeded:
    ledger = Ledger(url)
    try:
        upgrade(ledger)
        return seed(ledger, runs)
    finally:
        ledger.close()


def _table(client: Client, seeded: Seeded, kind: str, runs: int) -> Table:
    figures, goals = [], []
    for name, address in _ADDRESSES.items():
        seconds, size = _asked(client, address, seeded)
        figures.append(Figure.of(name, seconds))
        if runs == _MANY:
            p95 = statistics.quantiles(seconds, n=20)[18]
            goals.append(Goal(f"{name}, p95, {kind}", p95, _P95, "s"))
        if name == "home":
            goals.append(Goal(f"bytes of home, {runs:,} runs, {kind}", size, _LARGEST, BYTES))
    title = f"An archive of {runs:,} runs, {kind}"
    return Table("m", title, tuple(figures), tuple(goals), _WORDS.format(kind))


def _in_a_browser(place: Place, address: str) -> Iterator[Table]:
    """Yield how long home takes until a reader can use it, each time without anything cached."""
    if not CHROMIUM.exists():
        place.leave_out("home in Chromium", "it is not installed")
        return
    took = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd / 1000"
    seconds = []
    with chromium() as browser:
        for _ in range(_VISITS + 1):
            page = browser.new_context().new_page()
            page.goto(address)
            seconds.append(page.evaluate(took))
            page.context.close()
    figure = Figure.of("home until its scripts have run", seconds[1:])
    goal = Goal(f"home in Chromium, {_MANY:,} runs", figure.median, _USABLE, "s")
    words = "From the click to the end of DOMContentLoaded, in a new context each time."
    yield Table("m", "Home in a browser", (figure,), (goal,), words)


def _asked(client: Client, address: str, seeded: Seeded) -> tuple[list[float], int]:
    seconds, size = [], 0
    things = zip(cycle(seeded.runs), cycle(seeded.shas), strict=False)
    for number, (run, sha) in enumerate(islice(things, _ROUNDS + 3)):
        path = address.format(run=run, sha=sha, word=quote(f"word{number * 37}"))
        answer = client.send("GET", path)
        if answer.status not in (200, 302):
            raise SystemExit(f"{path} was answered {answer.status}.")
        seconds.append(answer.seconds)
        size = len(answer.body)
    return seconds[3:], size


@contextmanager
def _web(folder: Path, home: Path, url: str) -> Iterator[Client]:
    port = free_port()
    settings = {"DATABASE_URL": url, "BASE_URL": f"http://127.0.0.1:{port}"}
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [PROVENOTE, "web", "--port", str(port)],
            cwd=folder,
            env=environ_of(home, **settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=lambda: end_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
    client = Client(port)
    try:
        _wait_until_ready(client, process, folder / "web.log")
        yield client
    finally:
        client.close()
        stop(process)


def _wait_until_ready(client: Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, HTTPException):
            if client.send("GET", "/healthz").status == 200:
                return
        time.sleep(0.05)
    raise SystemExit(f"provenote web did not start:\n{log.read_text()}")
