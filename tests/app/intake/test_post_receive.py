import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from app.intake.post_receive import post_receive_script
from tests.app.intake.world import Repository, rows


@pytest.fixture
def served(app) -> Iterator[str]:
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def push(repository: Repository, tmp_path: Path):
    """Return a function that installs a script in a bare repository and pushes to it."""
    bare = tmp_path / "bare.git"
    repository.git("init", "--quiet", "--bare", str(bare))

    def pushed(script: str, *refspecs: str) -> subprocess.CompletedProcess[str]:
        hook = bare / "hooks" / "post-receive"
        hook.write_text(script)
        hook.chmod(0o755)
        return subprocess.run(
            ["git", "push", str(bare), *(refspecs or ("main",))],
            cwd=repository.path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    return pushed


def test_a_push_tells_the_pusher_where_its_reports_will_be(
    served, push, secret, installation, bell
):
    done = push(post_receive_script(served, "weather", secret))
    assert done.returncode == 0
    page = re.search(r"https://reports.example.org/evaluations/eval_\w+", done.stderr)
    assert page, done.stderr
    assert page[0].endswith(bell.evaluations[0])
    assert rows(installation) == {"evaluation": 1, "delivery": 1}


def test_tags_and_deletions_say_nothing(served, push, secret, repository, installation):
    script = post_receive_script(served, "weather", secret)
    repository.git("tag", "v1")
    push(script, "main", "main:topic", "v1")
    assert rows(installation) == {"evaluation": 2, "delivery": 2}
    done = push(script, ":topic")
    assert done.returncode == 0
    assert "warning" not in done.stderr
    assert rows(installation) == {"evaluation": 2, "delivery": 2}


def test_a_push_never_fails_and_says_how_to_tell_it_again(
    served, push, secret, installation, tmp_path
):
    done = push(post_receive_script("http://127.0.0.1:1", "weather", secret))
    assert done.returncode == 0
    assert "warning" in done.stderr
    command = re.search(r"printf .*", done.stderr)
    assert command, done.stderr

    hook = tmp_path / "bare.git" / "hooks" / "post-receive"
    hook.write_text(post_receive_script(served, "weather", secret))
    line = command[0].strip()
    again = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert "/evaluations/" in again.stderr
    assert rows(installation) == {"evaluation": 1, "delivery": 1}


def test_what_the_server_says_is_passed_on(served, push, project):
    done = push(post_receive_script(served, "weather", "wrong"))
    assert done.returncode == 0
    assert "X-Provenote-Signature" in done.stderr


def test_answers_that_are_no_json_do_no_harm(push, project):
    class Nonsense(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Nonsense)
    threading.Thread(target=server.serve_forever).start()
    done = push(post_receive_script(f"http://127.0.0.1:{server.server_port}", "weather", "s"))
    server.shutdown()
    server.server_close()
    assert done.returncode == 0
    assert "warning" in done.stderr


def test_the_script_needs_nothing_but_python():
    script = post_receive_script('https://x.example/"quoted"', "a b/c", "s'e\"c\nret")
    assert script.startswith("#!/usr/bin/env python3\n")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], input="", capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "/hooks/git/a%20b%2Fc" in script
    assert json.dumps("https") not in script
