"""The whole installation on one machine, as one command serves it."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from app.intake.secrets import sign
from tests.support.processes import LONG
from tests.support.serving import Server, make_server
from tests.support.waiting import wait_for

EVALUATION = re.compile(r"/evaluations/(eval_\w+)")


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, environments: Path, default_environment: Path
) -> Iterator[Server]:
    made = make_server(tmp_path_factory.mktemp("served"), environments)
    try:
        made.start()
        yield made
    finally:
        made.kill()
        print(made.log.read_text())


@pytest.fixture
def own_server(tmp_path: Path, environments: Path, default_environment: Path) -> Iterator[Server]:
    """A server that the test may stop."""
    made = make_server(tmp_path, environments)
    try:
        yield made
    finally:
        made.kill()
        print(made.log.read_text() if made.log.exists() else "")


def evaluation_count(server: Server) -> int:
    return len(server.api("GET", "/runs?project=tides&limit=200").json["items"])


def github_push(server: Server, sha: str, delivery: str, secret: str | None = None) -> object:
    body = json.dumps(
        {
            "ref": "refs/heads/main",
            "before": "0" * 40,
            "after": sha,
            "deleted": False,
            "pusher": {"name": "ada"},
            "repository": {"clone_url": "https://example.org/elsewhere.git"},
        }
    ).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": sign(secret or server.secret, body),
    }
    return server.send("POST", "/hooks/github/tides", body, headers)


def commit_elsewhere(server: Server, branch: str) -> str:
    """Commit to the bare repository without its hook hearing of it."""
    server.clone.git("checkout", "--quiet", "-B", branch, "main")
    sha = server.clone.commit({f"{branch}.txt": branch}, f"On {branch}")
    server.clone.git("checkout", "--quiet", "main")
    server.clone.git("push", "--quiet", "--receive-pack", "git -c core.hooksPath=/dev/null receive-pack", "origin", branch)
    return sha


def test_it_serves_within_ten_seconds_and_is_ready(own_server: Server) -> None:
    assert own_server.start() < 10
    ready = own_server.send("GET", "/readyz")
    assert (ready.status, ready.json["ready"]) == (200, True)
    wait_for(lambda: "Serving on" in own_server.log.read_text(), "the address to be told")
    assert own_server.interrupt() == 0
    assert own_server.home.is_quiet()


def test_a_push_is_evaluated_at_once_and_only_once(server: Server) -> None:
    server.clone.commit({"notes.txt": "pushed"}, "Pushed")
    server.clone.git("push", "--quiet", "origin", "main")
    sha = server.clone.head
    with server.home.ledger() as ledger, ledger.reading() as session:
        from sqlalchemy import select

        from provenance.ledger.tables import Evaluation

        (found,) = session.scalars(select(Evaluation.id).where(Evaluation.commit_sha == sha))
    done = server.evaluated(found)
    assert (done["verdict"], done["commit"], done["branch"]) == ("passed", sha, "main")
    assert [run["report"] for run in done["runs"]] == ["quick"]
    row = server.home.evaluation(found)
    assert row.started_at is not None
    assert row.started_at - row.created_at < timedelta(seconds=5)
