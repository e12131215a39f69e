import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from app.factory import create_app
from app.settings import Settings
from app.web import pages
from app.web.filters import ago, duration, mark, number, short_id, signed, size
from app.web.headers import OWN_PAGES
from provenance.ledger.columns import Base, utc_now

HEAVY = "papermill nbconvert nbformat nbclient jupytext pandas pyarrow numpy celery zmq"


@pytest.mark.parametrize("address", ["/", "/nowhere", "/projects/x", "/healthz", "/readyz"])
def test_own_pages_carry_the_strict_policy(client, address):
    headers = client.get(address).headers
    assert headers["Content-Security-Policy"] == OWN_PAGES
    assert "unsafe" not in OWN_PAGES
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Set-Cookie" not in headers


def test_the_process_is_healthy_and_ready(client):
    assert client.get("/healthz").data == b"ok\n"
    assert client.get("/readyz").json == {"ready": True, "ledger": "ok", "store": "ok"}


def test_a_silent_ledger_is_told_as_unavailable(app, client):
    Base.metadata.drop_all(app.extensions["provenote"].ledger.engine)
    answer = client.get("/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "does not answer" in answer.text
    assert "provenote db upgrade" in answer.text
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["ledger"]) == (503, "does not answer")
    assert client.get("/healthz").status_code == 200


def test_a_mistake_of_ours_shows_its_page_and_no_traceback(app, client):
    def broken() -> str:
        raise ZeroDivisionError("a secret detail")

    app.add_url_rule("/broken", "broken", broken)
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert "The mistake is ours" in answer.text
    assert "a secret detail" not in answer.text


def test_an_unknown_address_and_a_wrong_method_have_pages(client):
    assert "Nothing stands here" in client.get("/nowhere").text
    wrong = client.post("/healthz")
    assert wrong.status_code == 405


def test_a_static_file_is_kept_by_browsers_under_its_content(app, client):
    with app.test_request_context():
        address = pages.static_url("provenote.css")
    assert "immutable" in client.get(address).headers["Cache-Control"]
    assert client.get("/static/provenote.css").headers["Cache-Control"] == "no-cache"


def test_pages_load_nothing_from_elsewhere():
    for path in Path(pages.STATIC).glob("*"):
        if path.suffix in (".css", ".js"):
            assert "http" not in path.read_text(), path


def test_the_web_process_never_imports_what_runs_notebooks(tmp_path):
    code = f"""
import sys
from pathlib import Path
from app.factory import create_app
from app.settings import Settings
create_app(Settings(home=Path({str(tmp_path)!r}))).test_client().get("/healthz")
print([name for name in {HEAVY!r}.split() if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_secret_key_is_made_once_and_kept(tmp_path):
    first = create_app(Settings(home=tmp_path)).secret_key
    assert create_app(Settings(home=tmp_path)).secret_key == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o400
    assert create_app(Settings(home=tmp_path, secret_key="given")).secret_key == "given"


def test_an_operational_error_names_no_statement(app, client):
    def silent() -> str:
        raise OperationalError("SELECT secret", {}, Exception("password=hunter2"))

    app.add_url_rule("/silent", "silent", silent)
    answer = client.get("/silent")
    assert answer.status_code == 503
    assert "hunter2" not in answer.text
    assert "SELECT" not in answer.text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.012, "12 ms"),
        (0.21, "0.21 s"),
        (4.13, "4.1 s"),
        (59.7, "60 s"),
        (720, "12 min"),
        (5400, "90 min"),
        (9000, "2.5 h"),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_durations_have_two_figures(seconds, text):
    assert duration(seconds).replace("\N{NARROW NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (26398, "26,398"),
        (14.234, "14.23"),
        (-0.8, "\N{MINUS SIGN}0.8"),
        (None, "not a number"),
        (1234.56, "1,234.6"),
        (1e-5, "1e\N{MINUS SIGN}05"),
        (3.0, "3"),
        (float("inf"), "not a number"),
    ],
)
def test_numbers_are_set_for_reading(value, text):
    assert number(value) == text


def test_changes_sizes_times_and_marks_are_set_for_reading():
    assert signed(19.8 - 14.2) == "+5.6"
    assert signed(14.2 - 19.8) == "\N{MINUS SIGN}5.6"
    assert size(1_834_211).replace("\N{NARROW NO-BREAK SPACE}", " ") == "1.8 MB"
    assert ago(utc_now()) == "just now"
    assert short_id("run_0192abcdefghjkmnpqrstvwxyz").startswith("run_…")
    assert mark("passed").glyph == "✓"
    assert mark(None, "running").word == "running"
    assert mark("worker_lost", "dead").word == "worker lost"
    assert mark("unheard of").word == "no verdict"
