import io
import json
import zipfile

import pyarrow.parquet as pq
import pytest

from provenance.datasets.moves import Move, rollback
from provenance.ledger.tables import RunInput
from tests.support.rows import add_evaluation, add_project, add_runs

CSV = b"item,price\nhat,2\ncap,3\n"
PARQUET = "application/vnd.apache.parquet"
DAY = "/api/v1/datasets/sold/partitions/2013-01-31"


def send(client, body=CSV, to=DAY, content_type="text/csv", status=201, **options):
    query = {name: value for name, value in options.items() if name != "headers"}
    answer = client.post(
        f"{to}/batches",
        data=body,
        content_type=content_type,
        query_string=query,
        headers=options.get("headers"),
    )
    assert answer.status_code == status, answer.text
    return answer.json


def test_a_batch_is_sent_and_becomes_current(client):
    sent = send(client, reason="nightly")
    assert (sent["number"], sent["rows"], sent["media_type"], sent["version"]) == (1, 2, PARQUET, 1)
    assert sent["filename"] == "2013-01-31.parquet"
    current = client.get(f"{DAY}/current").json
    assert current["id"] == sent["id"]
    listed = client.get(f"{DAY}/batches").json
    assert [one["id"] for one in listed["items"]] == [sent["id"]]
    assert (listed["events"][0]["op"], listed["events"][0]["reason"]) == ("publish", "nightly")
    assert listed["version"] == 1
    whole = client.get("/api/v1/datasets/sold").json
    assert whole["items"][0]["batch"]["id"] == sent["id"]
    assert client.get("/api/v1/datasets").json["items"][0]["partitions"] == 1


def test_the_content_comes_in_every_form_under_the_sandbox(client):
    sent = send(client)
    address = f"/api/v1/batches/{sent['id']}/content"
    answer = client.get(address)
    assert pq.read_table(io.BytesIO(answer.data)).num_rows == 2
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "attachment; filename=2013-01-31.parquet"
    assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert client.get(f"{address}?format=csv").text.splitlines()[1] == '"hat",2'
    assert client.get(f"{address}?format=json").json[1] == {"item": "cap", "price": 3}
    assert client.get(f"{address}?format=xml").status_code == 400
    assert "Did you mean" in client.get(f"{address}?format=parqet").json["error"]["hint"]


def test_json_is_given_back_plain(client):
    sent = send(client, b'{"a": [1]}', content_type="application/json")
    assert sent["media_type"] == "application/json+gzip"
    answer = client.get(f"/api/v1/batches/{sent['id']}/content")
    assert (answer.text, answer.mimetype) == ('{"a": [1]}', "application/json")
    refused = client.get(f"/api/v1/batches/{sent['id']}/content?format=csv")
    assert refused.status_code == 400


def test_the_same_idempotency_key_is_the_same_batch(client):
    key = {"Idempotency-Key": "job-1"}
    first = send(client, headers=key)
    again = send(client, headers=key, status=200)
    assert (again["id"], again["version"]) == (first["id"], 1)
    send(client, headers={"Idempotency-Key": "x" * 201}, status=400)


def test_of_two_writers_who_saw_the_same_the_second_is_told(client):
    first = send(client, seen=0)
    answer = send(client, b"item,price\nhat,9\n", seen=0, status=409)
    assert answer["error"]["code"] == "conflict"
    assert "local won with a publish" in answer["error"]["message"]
    listed = client.get(f"{DAY}/batches").json
    assert [one["number"] for one in listed["items"]] == [2, 1]
    assert client.get(f"{DAY}/current").json["id"] == first["id"]
    late = listed["items"][0]["id"]
    done = client.post(f"/api/v1/batches/{late}/publish", json={"reason": "it should", "seen": 1})
    assert (done.status_code, done.json["op"], done.json["to"]) == (200, "publish", late)


def test_rolling_back_retiring_and_as_of(client, installation):
    first, second = send(client), send(client, b"item,price\nhat,9\n")
    done = client.post(f"{DAY}/rollback", json={"reason": "wrong"})
    assert (done.json["version"], done.json["to"]) == (3, first["id"])
    assert client.post(f"{DAY}/rollback", json={"reason": "x", "to": "2"}).json["to_number"] == 2
    assert client.post(f"{DAY}/retire", json={"reason": "gone", "seen": 1}).status_code == 409
    assert client.post(f"{DAY}/retire", json={"reason": "gone"}).json["to"] is None
    answer = client.get(f"{DAY}/current")
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "retired")
    at = second["created_at"]
    assert client.get(f"{DAY}/current", query_string={"as_of": at}).json["id"] == first["id"]
    early = client.get(f"{DAY}/current?as_of=2013-01-01").json["error"]
    assert first["id"] in early["hint"]
    assert client.get(f"{DAY}/current?as_of=soon").status_code == 400
    with installation.ledger.writing() as session:
        rollback(session, Move("sold", "ada", "back", partition="2013-01-31"))


def test_a_move_needs_a_reason(client):
    send(client)
    for body in ({}, {"reason": ""}, {"reason": "x", "seen": -1}, {"reason": "x", "other": 1}):
        assert client.post(f"{DAY}/rollback", json=body).status_code == 400, body


def test_pins_and_snapshots(client):
    sent = send(client)
    address = f"/api/v1/batches/{sent['id']}/pin"
    assert (
        client.post(address, json={"reason": "a paper", "until": "2030-01-01"}).status_code == 200
    )
    assert client.get(f"/api/v1/batches/{sent['id']}").json["pins"][0]["reason"] == "a paper"
    assert client.post(address, json={"pinned": False}).json["pinned"] is False
    assert client.post(address, json={"pinned": False}).status_code == 404
    made = client.post("/api/v1/datasets/sold/snapshots", json={"name": "audit"})
    assert (made.status_code, made.json["batches"]) == (201, 1)
    assert client.get(f"{DAY}/current?snapshot=audit").json["id"] == sent["id"]
    assert client.post("/api/v1/datasets/sold/snapshots", json={"name": "audit"}).status_code == 409


def test_a_batch_tells_which_runs_stand_on_it(client, installation):
    sent = send(client)
    [run] = add_runs(
        installation.ledger, add_evaluation(installation.ledger, add_project(installation.ledger))
    )
    facts = {"sha256": "a", "size": 1, "media_type": "text/csv", "producer_key": ""}
    row = RunInput(run_id=run, name="sold", producer="dataset:sold/x", batch=sent["id"], **facts)
    with installation.ledger.writing() as session:
        session.add(row)
    told = client.get(f"/api/v1/batches/{sent['id']}").json
    assert (told["current"], [one["id"] for one in told["used_by"]]) == (True, [run])
    assert told["used_by"][0]["links"]["page"].endswith(f"/runs/{run}")


@pytest.mark.parametrize(
    "partition",
    ["year=2013/month=1", "a/batches", "rollback/current", "<b>&\"'", "Zürich 50%", "%2e"],
)
def test_partitions_may_have_odd_names(client, partition):
    from urllib.parse import quote

    address = f"/api/v1/datasets/sold/partitions/{quote(partition, safe='/')}"
    assert send(client, to=address)["partition"] == partition
    assert client.get(f"{address}/current").json["partition"] == partition
    assert client.get(f"{address}/batches").json["items"][0]["partition"] == partition
    [row] = client.get("/api/v1/datasets/sold").json["items"]
    assert client.get(row["links"]["log"]).json["version"] == 1


@pytest.mark.parametrize("partition", ["a*", "%20a", "a/%2e%2e/b", "x" * 201])
def test_partitions_that_cannot_be_are_refused(client, partition):
    answer = send(client, to=f"/api/v1/datasets/sold/partitions/{partition}", status=400)
    assert answer["error"]["code"] == "invalid_name"
    assert client.get("/api/v1/datasets").json["items"] == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"a,b\n1,2,3\n", "text/csv", 400),
        (b"PAR1", PARQUET, 400),
        (b"{", "application/json", 400),
        (b"", "text/csv", 400),
        (CSV, "text/plain", 415),
        (CSV, "multipart/form-data", 415),
        (CSV, None, 415),
    ],
)
def test_files_that_are_not_what_they_say_are_refused(client, body, content_type, status):
    answer = send(client, body, content_type=content_type, status=status)
    assert answer["error"]["message"]
    assert client.get("/api/v1/datasets").json["items"] == []


def test_a_file_that_is_too_large_is_refused_unread(app, client):
    settings = app.extensions["provenote.settings"]
    object.__setattr__(settings, "max_batch_bytes", 10)
    answer = send(client, status=413)
    assert "PROVENOTE_MAX_BATCH_BYTES" in answer["error"]["hint"]


def test_a_file_larger_than_other_bodies_may_be_is_taken(client, installation):
    lines = b"".join(b"%d,%d\n" % (number, number * 7) for number in range(200_000))
    assert len(lines) > 2 * 1024 * 1024
    assert send(client, b"a,b\n" + lines)["rows"] == 200_000
    assert list((installation.home / "incoming").iterdir()) == []


def test_other_calls_take_no_files(client):
    answer = client.post(f"{DAY}/rollback", data=CSV, content_type="text/csv")
    assert answer.status_code == 415


def test_a_page_elsewhere_cannot_send(client):
    answer = client.post(
        f"{DAY}/batches",
        data=CSV,
        content_type="text/csv",
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/api/v1/datasets/solt", "unknown_dataset"),
        ("/api/v1/datasets/sold/partitions/2014/batches", "unknown_partition"),
        ("/api/v1/batches/batch_x", "unknown_batch"),
        ("/api/v1/batches/batch_x/content", "unknown_batch"),
        ("/api/v1/models/delay", "unknown_dataset"),
        ("/api/v1/models/delay/latest", "unknown_dataset"),
        (f"/api/v1/models/delay/versions/{10**30}", "unknown_dataset"),
    ],
)
def test_what_does_not_exist_is_404_with_a_word_for_machines(client, address, code):
    send(client)
    answer = client.get(address)
    assert (answer.status_code, answer.json["error"]["code"]) == (404, code)


def test_lists_go_on(client):
    for number in range(3):
        send(client, to=f"/api/v1/datasets/sold/partitions/p{number}", stage_only=True)
    page = client.get("/api/v1/datasets/sold?limit=2").json
    assert ([one["name"] for one in page["items"]], page["next"]) == (["p2", "p1"], "p1")
    rest = client.get("/api/v1/datasets/sold?limit=2&cursor=p1").json
    assert ([one["name"] for one in rest["items"]], rest["next"]) == (["p0"], None)


@pytest.fixture
def model(installation):
    """A model of two versions, the second promoted."""
    from app.batches import Order, receive, seen_now
    from provenance.datasets.models import model_details
    from provenance.datasets.names import MODEL
    from provenance.datasets.publish import NewBatch

    for number in (1, 2):
        blob = installation.store.put_bytes(b"object %d" % number)
        details = model_details({"rows": number}, {"rmse": 15.0 - number}, "pickle")
        new = NewBatch(
            "delay", blob.sha256, blob.size, "application/octet-stream", "m.pkl", "ada",
            kind=MODEL, details=details,
        )  # fmt: skip
        receive(installation, new, Order(seen_now(installation, MODEL, "delay", "main")))
    return "/api/v1/models/delay"


def test_a_model_its_versions_and_the_latest(client, model):
    assert client.get("/api/v1/models").json["items"][0]["latest"] == 2
    whole = client.get(model).json
    assert [(one["version"], one["promoted"]) for one in whole["items"]] == [(2, True), (1, False)]
    latest = client.get(f"{model}/latest").json
    assert (latest["version"], latest["metrics"], latest["metadata"]) == (
        2,
        {"rmse": 13.0},
        {"rows": 2},
    )
    assert client.get(f"{model}/versions/1").json["promoted"] is False
    assert client.get(f"{model}/versions/3").json["error"]["code"] == "unknown_batch"


def test_a_version_is_promoted_and_rolled_back(client, model):
    done = client.post(f"{model}/promote", json={"version": 1, "reason": "better on JFK"})
    assert (done.json["op"], done.json["from_number"], done.json["to_number"]) == ("promote", 2, 1)
    assert client.get(f"{model}/latest").json["version"] == 1
    late = client.post(f"{model}/promote", json={"version": 2, "reason": "x", "seen": 2})
    assert late.status_code == 409
    assert client.post(f"{model}/rollback", json={"reason": "no"}).json["to_number"] == 2
    batch = client.get(f"{model}/versions/1").json["batch"]
    client.post(f"/api/v1/batches/{batch}/publish", json={"reason": "by its id"})
    assert [one["op"] for one in client.get(model).json["events"]] == [
        "promote", "rollback", "promote", "publish", "publish",
    ]  # fmt: skip


def test_what_is_current_already_stays_so_and_the_event_is_the_one_that_made_it_so(client):
    first = send(client, reason="nightly")
    done = client.post(f"/api/v1/batches/{first['id']}/publish", json={"reason": "a retry"})
    assert (done.status_code, done.json["version"], done.json["reason"]) == (200, 1, "nightly")


def test_a_package_is_followed_from_the_latest(client, model):
    link = client.get(f"{model}/latest").json["links"]["package"]
    answer = client.get(link)
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == "attachment; filename=delay-2.zip"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as package:
        assert package.read("m.pkl") == b"object 2"
        assert json.loads(package.read("metrics.json")) == {"rmse": 13.0}
