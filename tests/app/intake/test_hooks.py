import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from app.intake.secrets import hook_secret, sign
from pipeline.installation import Installation
from provenance.ledger.tables import Delivery, Evaluation, Project
from tests.app.intake.world import SECRET_KEY, Bell, git_push, github_push, push_payload, rows

GITHUB = "/hooks/github/weather"
GIT = "/hooks/git/weather"


def test_a_push_is_written_down_answered_and_rung(client, secret, installation, bell):
    answer = client.post(GITHUB, **github_push(secret, push_payload()))

    assert answer.status_code == 202
    with installation.ledger.reading() as session:
        evaluation = session.query(Evaluation).one()
        delivery = session.query(Delivery).one()
    assert answer.json["evaluation"] == evaluation.id
    assert answer.json["links"]["evaluation"].endswith(f"/evaluations/{evaluation.id}")
    assert answer.headers["Location"] == answer.json["links"]["evaluation"]
    assert (evaluation.status, evaluation.prepared) == ("queued", False)
    assert (evaluation.trigger, evaluation.actor) == ("push", "ada")
    assert (evaluation.branch, evaluation.commit_sha) == ("main", "a" * 40)
    assert evaluation.before_sha == "b" * 40
    assert (delivery.forge, delivery.delivery_id) == ("github", "d-1")
    assert bell.evaluations == [evaluation.id]


def test_our_own_script_may_push_too(client, secret, installation):
    assert client.post(GIT, **git_push(secret, before="0" * 40)).status_code == 202
    with installation.ledger.reading() as session:
        assert session.query(Evaluation).one().before_sha is None


def test_the_same_delivery_twice_is_one_evaluation(client, secret, installation, bell):
    first = client.post(GITHUB, **github_push(secret, push_payload()))
    again = client.post(GITHUB, **github_push(secret, push_payload()))

    assert again.status_code == 202
    assert again.json["duplicate"] is True
    assert again.json["evaluation"] == first.json["evaluation"]
    assert rows(installation) == {"evaluation": 1, "delivery": 1}
    assert len(bell.evaluations) == 1


def test_the_same_commit_by_another_delivery_is_one_evaluation(client, secret, installation):
    first = client.post(GITHUB, **github_push(secret, push_payload(), "d-1"))
    again = client.post(GITHUB, **github_push(secret, push_payload(), "d-2"))

    assert again.json["evaluation"] == first.json["evaluation"]
    assert rows(installation) == {"evaluation": 1, "delivery": 1}


def test_twenty_identical_deliveries_at_once_are_one_evaluation(
    app: Flask, secret: str, installation: Installation, bell: Bell
):
    together = threading.Barrier(20)

    def send(_: int) -> tuple[int, str]:
        together.wait()
        answer = app.test_client().post(GITHUB, **github_push(secret, push_payload()))
        return answer.status_code, answer.json["evaluation"]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))

    assert {status for status, _ in answers} == {202}
    assert len({evaluation for _, evaluation in answers}) == 1
    assert rows(installation) == {"evaluation": 1, "delivery": 1}
    assert len(bell.evaluations) == 1


def test_an_answer_needs_no_git(client, secret, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert client.post(GITHUB, **github_push(secret, push_payload())).status_code == 202


@pytest.mark.parametrize(
    "forge", [("github", "X-Hub-Signature-256"), ("git", "X-Provenote-Signature")]
)
def test_forged_signatures_are_refused_and_leave_no_row(client, secret, installation, forge):
    name, header = forge
    body = json.dumps(push_payload() | {"delivery": "u-1", "pusher": "eve"}).encode()
    good = sign(secret, body)
    forged = [
        None,
        "",
        "sha256=",
        good.removeprefix("sha256="),
        good.upper(),
        "sha256=" + good.removeprefix("sha256=").upper(),
        good.replace("sha256", "SHA256"),
        good.replace("sha256", "sha1"),
        good[:-1],
        good + "0",
        good + " ",
        " sha256=" + good,
        "sha256=" + "0" * 64,
        sign("another secret", body),
        sign(secret, body + b" "),
        sign("", body),
        sign(hook_secret(SECRET_KEY, "other", 1), body),
        sign(hook_secret(SECRET_KEY, "weather", 2), body),
        f"{good},{good}",
        "sha256=" + "é" * 64,
    ]
    for signature in forged:
        headers = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "d-1"}
        if signature is not None:
            headers[header] = signature
        answer = client.post(
            f"/hooks/{name}/weather", data=body, headers=headers, content_type="application/json"
        )
        assert answer.status_code == 401, signature
        assert answer.json["error"]["code"] == "signature"
        assert secret not in answer.text
    assert rows(installation) == {}


def test_a_signature_counts_before_the_content_does(client, project):
    answer = client.post(GITHUB, data=b"\xff not json", headers={"X-GitHub-Event": "push"})
    assert answer.status_code == 401


def test_the_secret_before_the_last_rotation_is_still_good(client, project, installation):
    with installation.ledger.writing() as session:
        session.get_one(Project, project.id).hook_generation = 3
    for generation, status in ((3, 202), (2, 202), (1, 401), (4, 401)):
        secret = hook_secret(SECRET_KEY, "weather", generation)
        answer = client.post(GITHUB, **github_push(secret, push_payload()))
        assert answer.status_code == status, generation


def test_unknown_projects_and_forges_are_not_found(client, secret):
    unknown = client.post("/hooks/github/wether", **github_push(secret, push_payload()))
    assert unknown.status_code == 404
    assert unknown.json["error"]["code"]
    forge = client.post("/hooks/sourcehut/weather", **github_push(secret, push_payload()))
    assert forge.status_code == 404
    assert "github" in forge.json["error"]["hint"]
    assert client.get(GITHUB).status_code == 405


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        ("ping", {}),
        ("issues", {}),
        ("a" * 5000, {}),
        ("push", {"deleted": True, "after": "0" * 40}),
        ("push", {"after": "0" * 40}),
        ("push", {"ref": "refs/tags/v1"}),
        ("push", {"ref": "refs/notes/commits"}),
    ],
)
def test_what_asks_for_nothing_is_taken_and_ignored(client, secret, installation, event, changes):
    request = github_push(secret, push_payload() | changes, event=event)
    answer = client.post(GITHUB, **request)
    assert answer.status_code == 200
    assert answer.json["status"] == "ignored"
    assert rows(installation) == {}
    if event == "ping":
        assert answer.json["reason"] == "pong"


REFS = [
    "main",
    "refs/heads/",
    "refs/heads/--upload-pack=touch",
    "refs/heads/-x",
    "refs/heads/a/-b",
    "refs/heads/../../x",
    "refs/heads/a..b",
    "refs/heads/a\x00b",
    "refs/heads/a\nb",
    "refs/heads/a\x7fb",
    "refs/heads/a\u202eb",
    "refs/heads/a b",
    "refs/heads/a~1",
    "refs/heads/a^",
    "refs/heads/a:b",
    "refs/heads/a?",
    "refs/heads/a*",
    "refs/heads/a[",
    "refs/heads/a\\b",
    "refs/heads/a@{1}",
    "refs/heads//a",
    "refs/heads/a/",
    "refs/heads/.a",
    "refs/heads/a.lock",
    "refs/heads/a.",
    "refs/heads/" + "a" * 300,
    "refs/heads/\udc80",
    "ext::sh -c touch",
    "--upload-pack=x",
    "",
    None,
    7,
    ["refs/heads/main"],
]


@pytest.mark.parametrize("ref", REFS)
@pytest.mark.parametrize("path", [GITHUB, GIT])
def test_refs_that_git_would_not_take_are_refused(client, secret, installation, path, ref):
    request = (
        github_push(secret, push_payload() | {"ref": ref})
        if path == GITHUB
        else git_push(secret, ref=ref)
    )
    assert client.post(path, **request).status_code == 400
    assert rows(installation) == {}


@pytest.mark.parametrize(
    "after", ["A" * 40, "a" * 39, "a" * 41, "-" * 40, "a" * 40 + "\n", "", None, 5, {}, "٠" * 40]
)
def test_commits_that_are_none_are_refused(client, secret, installation, after):
    payload = push_payload() | {"after": after}
    assert client.post(GITHUB, **github_push(secret, payload)).status_code == 400
    assert client.post(GIT, **git_push(secret, before=after or "")).status_code == 400
    assert rows(installation) == {}


def test_sha256_commits_are_commits(client, secret):
    assert client.post(GITHUB, **github_push(secret, push_payload("c" * 64))).status_code == 202


@pytest.mark.parametrize("delivery", ["", "a" * 101, "a b", "a/../b", "-a", "ü"])
def test_deliveries_need_an_identifier(client, secret, installation, delivery):
    request = github_push(secret, push_payload(), delivery=delivery)
    assert client.post(GITHUB, **request).status_code == 400
    assert client.post(GIT, **git_push(secret, delivery=delivery)).status_code == 400
    del request["headers"]["X-GitHub-Delivery"]
    assert client.post(GITHUB, **request).status_code == 400
    assert rows(installation) == {}


def test_hooks_need_an_event(client, secret):
    request = github_push(secret, push_payload())
    del request["headers"]["X-GitHub-Event"]
    assert client.post(GITHUB, **request).status_code == 400
