"""What the interface refuses: a key with other content, a name that is taken, a method."""

import pytest

from provenance.datasets.brought import digest_of
from tests.app.api.test_data_api import CSV, DAY, send

KEY = {"Idempotency-Key": "zz"}
OTHER = b"item,price\nhat,9\n"


def test_a_key_with_other_content_is_refused_and_nothing_is_lost(client):
    first = send(client, headers=KEY)
    answer = send(client, OTHER, headers=KEY, status=409)
    assert answer["error"]["code"] == "key_reused"
    assert first["id"] in answer["error"]["message"]
    send(client, b"a,a\n1,2\n", headers=KEY, status=409)  # nor is it looked into
    listed = client.get(f"{DAY}/batches").json
    assert [one["id"] for one in listed["items"]] == [first["id"]]
    elsewhere = DAY.replace("01-31", "02-28")
    assert send(client, OTHER, elsewhere, headers=KEY)["id"] != first["id"]


def test_what_is_kept_of_a_key_is_the_digest_of_what_came(client, tmp_path):
    (tmp_path / "sent").write_bytes(CSV)
    sent = send(client, headers=KEY)
    assert sent["details"] == {"sent_sha256": digest_of(tmp_path / "sent")}
    assert sent["sha256"] != sent["details"]["sent_sha256"]
    assert send(client, to=DAY.replace("01-31", "02-28"))["details"] == {}


@pytest.mark.parametrize(("body", "status"), [(CSV, 200), (OTHER, 409)])
def test_of_older_batches_what_is_kept_is_compared(client, installation, body, status):
    from provenance.ledger.data_tables import Batch

    first = send(client, headers=KEY)
    with installation.ledger.writing() as session:
        session.get_one(Batch, first["id"]).details = {}
    again = send(client, body, headers=KEY, status=status)
    assert status == 409 or again["id"] == first["id"]


def test_a_snapshot_under_a_name_that_is_taken_is_a_conflict(client):
    send(client)
    address = "/api/v1/datasets/sold/snapshots"
    assert client.post(address, json={"name": "audit"}).status_code == 201
    answer = client.post(address, json={"name": "audit"})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "snapshot_exists")


@pytest.mark.parametrize("sent", [{"json": {}}, {"data": b"x"}, {}])
@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("PUT", "/api/v1/runs", ["GET"]),
        ("DELETE", "/api/v1/runs/run_1", ["GET"]),
        ("POST", "/api/v1/projects", ["GET"]),
        ("GET", "/api/v1/runs/run_1/cancel", ["POST"]),
        ("PATCH", f"{DAY}/batches", ["GET", "POST"]),
    ],
)
def test_a_method_that_an_address_does_not_know_is_told(client, method, address, allowed, sent):
    answer = client.open(address, method=method, **sent)
    assert (answer.status_code, answer.json["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == ", ".join(allowed)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_where_there_is_nothing_no_method_is_known(client, method):
    answer = client.open("/api/v1/nothing", method=method)
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "unknown_address")
    assert "Allow" not in answer.headers


def test_the_guard_stands_before_addresses_that_are_unknown(client):
    answer = client.put("/api/v1/runs", json={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_numbers_that_no_ledger_holds_are_answered_like_any_other(client):
    first = send(client)
    page = "/datasets/sold?partition=2013-01-31&before="
    for number in (2**31, 2**63, 10**20):
        assert f"/batches/{first['id']}" in client.get(f"{page}{number}").text
        assert client.get(f"{page}-{number}").status_code == 200
        assert client.get(f"/api/v1/models/m/versions/{number}").status_code == 404
        for query in ("cursor", "limit"):
            assert client.get(f"{DAY}/batches?{query}={number}").status_code == 400
        body = {"reason": "x", "seen": number}
        assert client.post(f"{DAY}/rollback", json=body).status_code == 400
        assert (
            client.post(f"{DAY}/rollback", json={"reason": "x", "to": str(number)}).status_code
            == 404
        )
