import pytest

from tests.app.archive.maker import Maker

POLICY = (
    "sandbox allow-scripts; default-src 'none'; "
    "script-src 'unsafe-inline' 'unsafe-eval' http://localhost/assets/ blob:; "
    "style-src 'unsafe-inline' http://localhost/assets/; "
    "img-src data: blob: http://localhost/runs/RUN/output/; media-src data: blob:; "
    "font-src data:; connect-src 'none'; worker-src blob:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)


@pytest.fixture
def run(maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    files = {name: maker.keep(name.encode()) for name in ("html", "notebook", "log")}
    return maker.run(evaluation, record=maker.keep(b"{}"), **files)


@pytest.mark.parametrize(
    ("tail", "content_type", "data"),
    [
        ("report", "text/html; charset=utf-8", b"html"),
        ("report?download=1", "text/html; charset=utf-8", b"html"),
        ("notebook?download=1", "application/x-ipynb+json", b"notebook"),
        ("log?download=1", "text/plain; charset=utf-8", b"log"),
        ("provenance?format=json", "application/json", b"{}"),
    ],
)
def test_an_artifact_is_served_sandboxed(client, run, tail, content_type, data):
    answer = client.get(f"/runs/{run.id}/{tail}")
    assert answer.data == data
    assert answer.content_type == content_type
    assert answer.headers["Content-Security-Policy"] == POLICY.replace("RUN", run.id)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


def test_an_artifact_that_the_reader_has_is_not_sent_again(client, run):
    first = client.get(f"/runs/{run.id}/report")
    again = client.get(f"/runs/{run.id}/report", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_download_has_a_safe_name(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    run = maker.run(evaluation, 'a"\r\nSet-Cookie: x/../é', html=maker.keep(b"x"))
    answer = client.get(f"/runs/{run.id}/report?download=1")
    name = answer.headers["Content-Disposition"]
    assert name == 'attachment; filename="a---Set-Cookie--x-..---00000000.html"'


def test_a_lost_object_is_told_and_does_not_break_the_page(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    run = maker.run(evaluation, html="0" * 64, record="1" * 64)
    assert client.get(f"/runs/{run.id}").status_code == 200
    assert client.get(f"/runs/{run.id}/provenance").status_code == 200
    assert client.get(f"/runs/{run.id}/report").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/secret_key",
        "../../secret_key",
        "%00",
        "run_1%00",
        "%5c..%5c..%5csecret_key",
        "#",
        "%23",
        "/proc/self/root/etc/passwd",
        "%2fproc%2fself%2froot%2fetc%2fpasswd",
        "%c0%ae%c0%ae%2f",
        "~root",
        "a" * 5000,
    ],
)
def test_a_path_in_place_of_a_name_is_not_found(client, run, name):
    for address in (
        f"/runs/{name}/report",
        f"/runs/{name}",
        f"/runs/{run.id}/live/{name}.png",
        f"/projects/{name}",
        f"/evaluations/{name}",
        f"/badge/{name}/x.svg",
        f"/latest/{name}/x",
        f"/static/{name}",
        f"/static/vendor/{name}",
    ):
        if "#" in address:
            continue  # a client never sends what follows it
        answer = client.get(address, follow_redirects=True)
        assert answer.status_code == 404, address
        assert b"root:" not in answer.data


def test_a_nul_in_the_query_is_refused(client, run):
    answer = client.get("/projects/flights?branch=%00")
    assert answer.status_code == 400
