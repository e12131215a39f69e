"""``provenote share``."""

import pytest

from app.factory import create_app
from app.settings import Settings


@pytest.fixture(scope="module")
def client(used_desk):
    return create_app(Settings(home=used_desk.home.path)).test_client()


def test_a_link_is_printed_alone_and_opens_the_report(used_desk, client):
    done = used_desk("share", "latest", "--days", "2")
    assert done.status == 0, done.err
    (address,) = done.out.splitlines()
    assert "is not shown again" in done.err
    assert client.get(address.removeprefix("http://127.0.0.1:8000")).status_code == 200


def test_links_are_listed_and_revoked(used_desk, client):
    made = used_desk.json("share", "latest", "--until", "2027-06-01")
    assert made["ends_at"] == "2027-06-01T23:59:59.999999Z"
    path = made["url"].removeprefix("http://127.0.0.1:8000")
    listed = used_desk.json("share", made["run"], "--list")["items"]
    assert listed[0]["id"] == made["id"]
    assert "url" not in listed[0]
    ended = used_desk("share", "--revoke", made["id"])
    assert (ended.status, "revoked at" in ended.out) == (0, True)
    assert client.get(path).status_code == 410
    assert f"{made['id']}  revoked at" in used_desk("share", "latest", "--list").out


def test_wrong_usage_is_told(used_desk):
    for arguments in ((), ("latest", "--list", "--days", "1"), ("latest", "--revoke", "share_1")):
        assert used_desk("share", *arguments).status == 2
    assert used_desk("share", "latest", "--days", "0").status == 2
    done = used_desk("share", "--revoke", "share_1", "--json")
    assert (done.status, done.json["error"]["code"]) == (2, "unknown_share")
    assert used_desk("share", "run_none").status == 2
