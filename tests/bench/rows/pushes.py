"""Pushes that a running service accepts: signed payloads in GitHub's form."""

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from app.intake.secrets import sign
from tests.bench.commands import plain_environ, run
from tests.bench.figures import A_SECOND, Figure, Goal, Table
from tests.bench.folders import git
from tests.bench.place import Place
from tests.bench.service import PROJECT, Client, Service, serving
from tests.bench.small_report import make_project

_SEQUENTIAL, _AT_ONCE, _CONNECTIONS = 300, 1000, 8
_P99, _ALL = 0.050, 10.0
_WORDS = (
    "Payloads in GitHub's form (7 kB), signed, each of a commit of its own, posted to a running "
    "service, whose worker looks at the commits meanwhile; no report runs on them. First one "
    f"after the other over one connection, then over {_CONNECTIONS} connections."
)


@dataclass(frozen=True)
class Delivery:
    """A payload and its headers, ready to be sent."""

    body: bytes
    headers: dict[str, str]


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the table."""
    folder = place.new("pushes")
    project = make_project(folder / "project")
    commits = _commits(project, _SEQUENTIAL + _AT_ONCE)
    with serving(folder, place.environments, project) as service:
        deliveries = _deliveries(service, commits)
        one_by_one = _send(service.client(), deliveries[:_SEQUENTIAL])
        began = time.perf_counter()
        at_once = _send_at_once(service, deliveries[_SEQUENTIAL:])
        seconds = time.perf_counter() - began
    p99 = statistics.quantiles(one_by_one, n=100)[98]
    figures = (
        Figure.of("accept a push, one after the other", one_by_one),
        Figure.of("the slowest hundredth of them begins at", [p99]),
        Figure.of(f"accept a push, {_CONNECTIONS} at once", at_once),
        Figure.of(f"{_AT_ONCE:,} pushes, {_CONNECTIONS} at once", [seconds]),
        Figure.of("pushes accepted", [_AT_ONCE / seconds], A_SECOND),
    )
    goals = (
        Goal("accept a push, p99", p99, _P99, "s"),
        Goal(f"accept {_AT_ONCE:,} pushes", seconds, _ALL, "s"),
    )
    yield Table("f", "Accepting pushes", figures, goals, _WORDS)


def _commits(project: Path, number: int) -> list[str]:
    """Make commits on ``main`` that change nothing, and return their hashes."""
    author = "bench <bench@localhost>"
    parts = []
    for one in range(number):
        start = "from refs/heads/main^0\n" if one == 0 else ""
        head = f"commit refs/heads/main\ncommitter {author} {1_700_000_000 + one} +0000\n"
        parts.append(f"{head}data 4\nPush\n{start}\n")
    run([git(), "fast-import", "--quiet"], project, plain_environ(), "".join(parts))
    listing = [git(), "rev-list", "--reverse", f"--max-count={number}", "main"]
    return run(listing, project, plain_environ()).stdout.split()


def _deliveries(service: Service, commits: Sequence[str]) -> list[Delivery]:
    return [
        _delivery(service.secret, number, before, after)
        for number, (before, after) in enumerate(zip((None, *commits), commits, strict=False))
    ]


def _delivery(secret: str, number: int, before: str | None, after: str) -> Delivery:
    """Return a push of one commit, as long as those that come from the forge."""
    payload = {
        "ref": "refs/heads/main",
        "before": before or "0" * 40,
        "after": after,
        "created": False,
        "deleted": False,
        "forced": False,
        "pusher": {"name": "bench", "email": "bench@localhost"},
        "sender": {"login": "bench", "id": 1},
        "commits": [{"id": after, "message": "Push", "modified": ["report.ipynb"]}],
        "repository": {"name": PROJECT, "description": "x" * 6_500},
    }
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": f"bench-{number}",
        "X-Hub-Signature-256": sign(secret, body),
    }
    return Delivery(body, headers)


def _send(client: Client, deliveries: Sequence[Delivery]) -> list[float]:
    """Send them one after the other, and return the seconds of each."""
    seconds = []
    for delivery in deliveries:
        answer = client.send("POST", f"/hooks/github/{PROJECT}", delivery.body, delivery.headers)
        if answer.status != 202 or answer.json["duplicate"]:
            raise SystemExit(f"A push was not accepted: {answer.status} {answer.body!r}")
        seconds.append(answer.seconds)
    return seconds


def _send_at_once(service: Service, deliveries: Sequence[Delivery]) -> list[float]:
    shares = [deliveries[start::_CONNECTIONS] for start in range(_CONNECTIONS)]
    clients = [service.client() for _ in shares]
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        return [one for found in pool.map(_send, clients, shares) for one in found]
