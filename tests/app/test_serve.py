"""The whole installation on one machine, as one command serves it."""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from app.intake.secrets import sign
from provenance.ledger.columns import utc_now
from provenance.ledger.tables import Base, Delivery, Evaluation
from tests.support.processes import LONG
from tests.support.repository import Repository
from tests.support.serving import Answer, Server, make_server
from tests.support.waiting import wait_for

EVALUATION = re.compile(r"/evaluations/(eval_\w+)")
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


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
    """A server that the test may stop; it is not started yet."""
    made = make_server(tmp_path, environments)
    try:
        yield made
    finally:
        made.kill()
        print(made.log.read_text() if made.log.exists() else "")


def push(server: Server, branch: str) -> str:
    """Push a new commit on *branch* and return what the hook said to its author."""
    server.clone.git("checkout", "--quiet", "-B", branch, "main")
    server.clone.commit({"notes.txt": branch}, f"On {branch}")
    done = subprocess.run(
        ["git", "push", "origin", branch],
        cwd=server.clone.path,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stderr


def commit_unheard(server: Server, branch: str) -> str:
    """Bring a new commit into the served repository without its hook hearing of it."""
    server.clone.git("checkout", "--quiet", "-B", branch, "main")
    sha = server.clone.commit({"notes.txt": branch}, f"On {branch}")
    Repository(server.bare).git(
        "fetch", "--quiet", str(server.clone.path), f"+{branch}:refs/heads/{branch}"
    )
    return sha


def github_push(
    server: Server, sha: str, branch: str, delivery: str, secret: str | None = None
) -> Answer:
    payload = {
        "ref": f"refs/heads/{branch}",
        "before": "0" * 40,
        "after": sha,
        "deleted": False,
        "pusher": {"name": "ada"},
    }
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": sign(secret or server.secret, body),
    }
    return server.send("POST", "/hooks/github/tides", body, headers)


def rows(server: Server, table: type[Base]) -> int:
    with server.home.ledger() as ledger, ledger.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_it_serves_within_seconds_and_ctrl_c_ends_all_of_it(own_server: Server) -> None:
    assert own_server.start() < 10
    ready = own_server.send("GET", "/readyz")
    assert (ready.status, ready.json["ready"]) == (200, True)
    wait_for(lambda: "Serving on" in own_server.log.read_text(), "the address to be told")
    assert own_server.interrupt() == 0
    assert own_server.home.is_quiet()
    assert "Traceback" not in own_server.log.read_text()
    told = json.loads(own_server.home.run("config", "--json").out)
    assert own_server.url in [one["value"] for one in told], "links of commands lead there"


def test_a_push_through_the_printed_script_is_evaluated_without_waiting(server: Server) -> None:
    found = EVALUATION.search(push(server, "pushed"))
    assert found is not None
    done = server.evaluated(found[1])
    assert (done["verdict"], done["commit"]) == ("passed", server.clone.head)
    assert (done["branch"], done["trigger"]) == ("pushed", "push")
    assert [run["report"] for run in done["runs"]] == ["quick"]
    row = server.home.evaluation(found[1])
    assert row.started_at is not None
    assert row.started_at - row.created_at < timedelta(seconds=5)


def test_telling_of_the_same_push_again_adds_nothing(server: Server) -> None:
    first = EVALUATION.search(push(server, "twice"))
    assert first is not None
    evaluations = rows(server, Evaluation)
    script = server.bare / "hooks" / "post-receive"
    told = subprocess.run(
        [script],
        input=f"{'0' * 40} {server.clone.head} refs/heads/twice\n",
        check=True,
        capture_output=True,
        text=True,
    )
    again = EVALUATION.search(told.stderr)
    assert again is not None
    assert again[1] == first[1]
    assert rows(server, Evaluation) == evaluations


def test_a_signed_delivery_of_github_is_evaluated(server: Server) -> None:
    sha = commit_unheard(server, "hub")
    answer = github_push(server, sha, "hub", "delivery-1")
    assert (answer.status, answer.json["duplicate"]) == (202, False)
    done = server.evaluated(answer.json["evaluation"])
    assert (done["verdict"], done["commit"], done["actor"]) == ("passed", sha, "ada")


def test_a_delivery_with_a_wrong_signature_is_refused_and_not_written_down(server: Server) -> None:
    before = rows(server, Delivery), rows(server, Evaluation)
    answer = github_push(server, "a" * 40, "forged", "delivery-2", secret="a guess")
    assert (answer.status, answer.json["error"]["code"]) == (401, "signature")
    assert (rows(server, Delivery), rows(server, Evaluation)) == before


def test_twenty_equal_deliveries_at_once_make_one_evaluation(server: Server) -> None:
    sha = commit_unheard(server, "crowd")
    before = rows(server, Delivery), rows(server, Evaluation)
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda _: github_push(server, sha, "crowd", "delivery-3"), range(20))
        )
    assert [answer.status for answer in answers] == [202] * 20
    assert len({answer.json["evaluation"] for answer in answers}) == 1
    assert [answer.json["duplicate"] for answer in answers].count(False) == 1
    assert (rows(server, Delivery), rows(server, Evaluation)) == (before[0] + 1, before[1] + 1)
    assert server.evaluated(answers[0].json["evaluation"])["verdict"] == "passed"


def test_the_form_asks_for_a_run_and_leads_to_its_page(server: Server) -> None:
    page = server.send("GET", "/projects/tides/reports/quick/new")
    token = TOKEN.search(page.text)
    assert (page.status, token is not None) == (200, True)
    assert token is not None
    fields = urlencode({"csrf_token": token[1], "param.n": "3", "commit": "main"}).encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": page.headers["Set-Cookie"].split(";")[0],
    }
    answer = server.send("POST", "/projects/tides/reports/quick/new", fields, headers)
    assert answer.status == 303, answer.text
    run = server.finished(answer.headers["Location"].rpartition("/")[2])
    assert (run["verdict"], run["trigger"], run["params"]) == ("passed", "form", {"n": 3})
    assert server.send("GET", f"/runs/{run['id']}/report").status == 200


def test_a_call_that_waits_is_answered_with_the_finished_run(server: Server) -> None:
    path = "/projects/tides/reports/quick/runs?wait=60"
    answer = server.api("POST", path, {"params": {"n": 120}})
    assert answer.status == 200, answer.text
    assert (answer.json["status"], answer.json["verdict"]) == ("finished", "failed")
    assert answer.json["checks"] == [{"ok": False, "message": "fewer than a hundred tides"}]


def test_what_a_run_does_is_seen_while_it_does_it(server: Server) -> None:
    run_id, gate = server.ask_gated()
    gate.reached()
    fragment = f"/runs/{run_id}/live?seen=running.1.0."
    wait_for(
        lambda: "the first cell is done" in server.send("GET", fragment).text,
        "the output of the first cell",
        LONG,
    )
    assert server.run(run_id)["status"] == "running"
    gate.open()
    assert server.finished(run_id)["verdict"] == "passed"
    assert server.send("GET", fragment).headers["HX-Refresh"] == "true"


def working_in(folder: Path) -> list[str]:
    """Return the processes whose working directory lies below *folder*."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if str(place.readlink()).startswith(f"{folder}/"):
                found.append(place.parent.name)
    return found


def test_a_cancelled_run_ends_soon_and_leaves_no_process(server: Server) -> None:
    run_id, gate = server.ask_gated()
    gate.reached()
    work = server.home.path / "work"
    assert working_in(work)
    assert server.api("POST", f"/runs/{run_id}/cancel", {}).status == 202
    asked = utc_now()
    run = server.finished(run_id)
    assert run["verdict"] == "cancelled"
    wait_for(lambda: not working_in(work), "its kernel to be gone")
    finished_at = server.home.row(run_id).finished_at
    assert finished_at is not None
    assert finished_at - asked < timedelta(seconds=5)
    page = server.send("GET", f"/runs/{run_id}/report").text
    assert "the first cell is done" in page


def test_ctrl_c_returns_a_run_to_the_queue_and_the_next_start_finishes_it(
    own_server: Server,
) -> None:
    own_server.start()
    run_id, gate = own_server.ask_gated()
    gate.reached()
    assert own_server.interrupt() == 0
    assert own_server.home.is_quiet()
    row = own_server.home.row(run_id)
    assert (row.status, row.owner, row.attempt) == ("queued", None, 0)
    gate.open()
    own_server.start()
    assert own_server.finished(run_id)["verdict"] == "passed"
    assert own_server.home.row(run_id).attempt == 1
    assert len(gate.pids) == 2


def test_killing_the_command_alone_ends_its_servers_in_good_order(own_server: Server) -> None:
    own_server.start()
    run_id, gate = own_server.ask_gated()
    gate.reached()
    assert own_server.process is not None
    own_server.process.kill()
    wait_for(own_server.home.is_quiet, "its servers to end", LONG)
    row = own_server.home.row(run_id)
    assert (row.status, row.attempt) == ("queued", 0)


def test_after_all_is_killed_the_next_start_finishes_everything_once(own_server: Server) -> None:
    own_server.start()
    running, gate = own_server.ask_gated()
    second, other_gate = own_server.ask_gated()
    gate.reached()
    other_gate.reached()
    waiting = own_server.ask("quick", n=5)
    own_server.kill()
    assert own_server.home.row(running).status == "running"
    gate.open()
    other_gate.open()
    own_server.start()
    for run_id in (running, second, waiting):
        assert own_server.finished(run_id)["verdict"] == "passed"
        row = own_server.home.row(run_id)
        assert [job.stage for job in row.jobs].count("report") == 1
        assert row.evaluation.status == "finished"
    assert (len(gate.pids), len(other_gate.pids)) == (2, 2)
    assert own_server.home.row(running).attempt == 2
    assert own_server.home.row(waiting).attempt == 1
    own_server.interrupt()
    assert own_server.home.is_quiet()
