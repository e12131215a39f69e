import base64
import hashlib
import re

import pytest

from pipeline.rendering.assets import asset
from tests.app.archive.drawing import keep_report
from tests.app.archive.maker import Maker
from tests.pipeline.report_pages import code, display, notebook

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
    assert name == 'attachment; filename="a---Set-Cookie--x-..---2013-01-31-00000000.html"'


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


def test_a_library_is_served_for_ever_under_its_digest_and_nothing_else_is(client, maker: Maker):
    library = asset("katex.min.js")
    answer = client.get(f"/assets/{library.address}")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.data).hexdigest() == library.sha256
    assert answer.content_type == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    script = maker.keep(b"alert(1)")
    for address in (f"{script}/katex.min.js", f"{library.sha256}/x.js", f"{script}/{script}"):
        assert client.get(f"/assets/{address}").status_code == 404


def test_a_library_of_an_earlier_version_is_served_from_the_store(
    client, maker: Maker, monkeypatch
):
    earlier = maker.keep(b"earlier();")
    listed = {"files": {}, "retired": {earlier: "katex.min.js", "1" * 64: "gone.js"}}
    monkeypatch.setattr("pipeline.rendering.assets._listed", lambda: listed)
    assert client.get(f"/assets/{earlier}/katex.min.js").data == b"earlier();"
    assert client.get(f"/assets/{earlier}/other.js").status_code == 404
    assert client.get(f"/assets/{'1' * 64}/gone.js").status_code == 404


def test_figures_beside_a_page_are_served_and_put_into_the_file_that_is_downloaded(
    client, maker: Maker
):
    figures = [base64.b64encode(bytes([n]) * 700_000).decode() for n in range(3)]
    cells = [code("1", display(image__png=figure)) for figure in figures]
    long_text = display(text__plain="word\n" * 5_000)
    run = keep_report(maker, notebook(*cells, code("2", long_text)))
    page = client.get(f"/runs/{run.id}/report").text
    addresses = re.findall(r'(?:src|href)="(output/[^"]+)"', page)
    assert len(addresses) == 3
    figure = client.get(f"/runs/{run.id}/{addresses[0]}")
    assert figure.content_type == "image/png"
    assert base64.b64encode(figure.data).decode() in figures
    assert figure.headers["Content-Security-Policy"].startswith("sandbox allow-scripts;")
    whole = client.get(f"/runs/{run.id}/{addresses[2]}")
    assert whole.content_type == "text/plain; charset=utf-8"
    assert whole.text.count("word") == 5_000
    assert client.get(f"/runs/{run.id}/output/9/0-00000000").status_code == 404
    other = maker.run(maker.evaluation(maker.commit(maker.project("other"), 1)))
    assert client.get(f"/runs/{other.id}/{addresses[0]}").status_code == 404
    for query in ("standalone=1", "download=1"):
        alone = client.get(f"/runs/{run.id}/report?{query}").text
        assert all(f"data:image/png;base64,{figure}" in alone for figure in figures)
        assert f'href="http://localhost/runs/{run.id}/{addresses[2]}"' in alone


def test_the_policy_names_the_address_that_the_reader_took(client, run):
    answer = client.get(f"/runs/{run.id}/report", headers={"Host": "127.0.0.1:8123"})
    policy = answer.headers["Content-Security-Policy"]
    assert "http://localhost/assets/ http://127.0.0.1:8123/assets/" in policy
    assert f"http://127.0.0.1:8123/runs/{run.id}/output/" in policy
    hostile = {"Host": "localhost; script-src *"}
    policy = client.get(f"/runs/{run.id}/report", headers=hostile).headers
    assert "script-src *" not in policy.get("Content-Security-Policy", "")


def test_a_page_without_a_printer_offers_no_pdf(client, run, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("app.printing._PLACES", ())
    assert "report.pdf" not in client.get(f"/runs/{run.id}").text
    answer = client.get(f"/runs/{run.id}/report.pdf")
    assert answer.status_code == 503
    assert "apt-get install chromium" in answer.text
