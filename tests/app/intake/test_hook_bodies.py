import gzip
import io

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import create_environ, run_wsgi_app

from app.intake.secrets import sign
from provenance.ledger.tables import Evaluation
from tests.app.intake.world import git_push, github_push, push_payload, rows

GITHUB = "/hooks/github/weather"
GIT = "/hooks/git/weather"


def test_large_bodies_are_refused_by_their_length(client, project):
    answer = client.post(GITHUB, data=b"x" * (30 * 1024 * 1024), content_type="application/json")
    assert answer.status_code == 413
    assert answer.json["error"]["code"]


def test_large_bodies_of_unknown_length_are_refused_while_they_are_read(app, project):
    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer) -> int:
            self.taken += len(buffer)
            assert self.taken < 64 * 1024 * 1024
            return len(buffer)

    environ = create_environ(GITHUB, method="POST", headers={"Transfer-Encoding": "chunked"})
    environ |= {"wsgi.input": io.BufferedReader(Endless()), "wsgi.input_terminated": True}
    environ.pop("CONTENT_LENGTH", None)
    _, status, _ = run_wsgi_app(app, environ)
    assert status.startswith("413 ")


def test_chunked_bodies_are_read(client, secret):
    request = github_push(secret, push_payload())
    answer = client.post(
        GITHUB,
        input_stream=io.BytesIO(request["data"]),
        headers=request["headers"] | {"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 202


def test_encoded_bodies_are_refused(client, secret, installation):
    request = github_push(secret, push_payload())
    for encoding in ("gzip", "identity", "br", ""):
        body = gzip.compress(request["data"]) if encoding == "gzip" else request["data"]
        headers = request["headers"] | {"Content-Encoding": encoding}
        assert client.post(GITHUB, data=body, headers=headers).status_code == 415
    assert rows(installation) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"payload=%7B%7D",
    ],
)
def test_bodies_that_are_no_json_objects_are_refused(client, secret, installation, body):
    headers = {
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "d-1",
        "X-Hub-Signature-256": sign(secret, body),
    }
    answer = client.post(GITHUB, data=body, headers=headers, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["error"]["message"]
    assert rows(installation) == {}


def test_forms_are_told_to_choose_json(client, secret):
    body = b"payload=%7B%7D"
    answer = client.post(
        GITHUB,
        data=body,
        headers={"X-Hub-Signature-256": sign(secret, body), "X-GitHub-Event": "push"},
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 415
    assert "application/json" in answer.json["error"]["hint"]


def test_a_pushers_name_is_one_short_line(client, secret, installation):
    payload = push_payload() | {"pusher": {"name": "eve\r\n\x00\x1b[31m " + "x" * 500}}
    client.post(GITHUB, **github_push(secret, payload))
    with installation.ledger.reading() as session:
        actor = session.query(Evaluation).one().actor
    assert actor.isprintable()
    assert len(actor) <= 100


@pytest.fixture
def quiet(client: FlaskClient, secret: str) -> tuple[FlaskClient, str]:
    return client, secret


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)
FIELDS = st.sampled_from(["ref", "before", "after", "deleted", "pusher", "sender", "delivery", "x"])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.dictionaries(FIELDS, JSON), event=st.sampled_from(["push", "ping", "x"]))
def test_no_signed_payload_breaks_the_hooks(quiet, changes, event):
    client, secret = quiet
    request = github_push(secret, push_payload() | changes, event=event)
    assert client.post(GITHUB, **request).status_code in (200, 202, 400)
    assert client.post(GIT, **git_push(secret, **changes)).status_code in (200, 202, 400)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(max_size=200))
def test_no_signed_bytes_break_the_hooks(quiet, body):
    client, secret = quiet
    headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": sign(secret, body)}
    answer = client.post(GITHUB, data=body, headers=headers, content_type="application/json")
    assert answer.status_code == 400
