"""The figures of a run, one with what stands behind it, and the strip from commit to commit."""

import base64
import hashlib
import json
import re
import time
from dataclasses import replace

import pytest

from pipeline.drawn import PLOTLY
from provenance.ledger.states import Verdict
from provenance.record import keep_record, read_record
from tests.app.archive.records import Facts, recorded_run
from tests.app.archive.shown import TABLE, notebook, noted_run, picture, png, shown_run

CHART = {PLOTLY: {"data": []}}
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def evaluation(maker):
    return maker.evaluation(maker.commit(maker.project(), 1))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_all_figures_of_a_run_are_listed_with_their_digests(client, maker, evaluation) -> None:
    run = shown_run(
        maker, evaluation, picture(png(1)), {"text/html": TABLE}, {PLOTLY: {"data": []}}
    )
    page = client.get(f"/runs/{run.id}/figures").text
    assert digest(png(1)) in page
    for number, name in enumerate(("image", "table", "plotly"), 1):
        assert f"Delay by hour · {name}" in page
        assert f'href="/runs/{run.id}/figures/{number}"' in page
        assert f'id="figure-{number}"' in page
    assert page.count('loading="lazy"') == 3
    assert 'aria-current="page">Figures' in page


def test_a_page_that_was_not_read_or_shows_none_says_so(client, maker, evaluation) -> None:
    run = noted_run(maker, evaluation, notebook([]))
    assert "not known yet" in client.get(f"/runs/{run.id}/figures").text
    answer = client.get(f"/runs/{run.id}/figures/1")
    assert (answer.status_code, "look again" in answer.text) == (404, True)
    run = shown_run(maker, evaluation, {"text/plain": "7"})
    assert "No figure and no table was found" in client.get(f"/runs/{run.id}/figures").text
    failed = maker.run(evaluation, verdict=Verdict.ERROR)
    assert client.get(f"/runs/{failed.id}/figures").status_code == 404
    assert f'/runs/{failed.id}/figures"' not in client.get(f"/runs/{failed.id}").text


def test_a_figure_tells_its_cell_and_what_stands_behind_it(client, maker, evaluation) -> None:
    recorded = recorded_run(maker, evaluation, Facts(path="stages/features.py"))
    run = shown_run(maker, evaluation, picture(png(1)), {"text/html": TABLE})
    maker.input(run, batch="batch_1")
    batch = {"batch": "batch_2", "kind": "data", "dataset": "sold", "partition": "may", "number": 3}
    record = read_record(maker.installation.store, recorded.record)
    reading = keep_record(maker.installation.store, replace(record, inputs=(batch,))).sha256
    maker.job(run, 0, record=reading, stage="scores")
    maker.job(run, 1, record=recorded.record, stage="report")
    page = client.get(f"/runs/{run.id}/figures/1").text
    assert "Drawn by cell 2" in page
    assert "plot(0)" in page
    assert f'<img src="/figures/{digest(png(1))}" width="40" height="30"' in page
    assert "/batches/batch_2" in page
    assert "sold/may batch 3" in page
    for behind in ("/batches/batch_1", "stages/features.py", "2013-01-31", evaluation.commit_sha):
        assert behind in page, behind
    table = client.get(f"/runs/{run.id}/figures/2").text
    assert "<th>delay</th>" in table
    assert "<td>12.5</td>" in table
    assert client.get(f"/runs/{run.id}/figures/3").status_code == 404
    assert client.get(f"/runs/{run.id}/figures/{10**30}").status_code == 404
    assert client.get("/runs/run_none/figures/1").status_code == 404


def test_the_same_figure_in_other_runs_is_found_and_others_are_not(
    client, maker, evaluation
) -> None:
    same = shown_run(maker, evaluation, {"text/plain": "x"}, picture(png(1)), report="elsewhere")
    other = shown_run(maker, evaluation, picture(png(2)))
    run = shown_run(maker, evaluation, picture(png(1)))
    page = client.get(f"/runs/{run.id}/figures/1").text
    assert f"/runs/{same.id}/figures" in page
    assert f"/runs/{other.id}/figures" not in page
    assert "No other run shows exactly this." in client.get(f"/runs/{other.id}/figures/1").text


def test_the_runs_that_show_the_same_come_in_pages(client, maker, evaluation) -> None:
    first = shown_run(maker, evaluation, picture(png(1)))
    for _ in range(30):
        run = maker.run(evaluation, html=first.html, notebook=first.notebook, reused=True)
    page = client.get(f"/runs/{run.id}/figures/1").text
    assert f"/runs/{first.id}/" not in page
    (older,) = re.findall(r'rel="next" href="([^"]+)"', page)
    page = client.get(older).text
    assert f"/runs/{first.id}/" in page
    assert 'rel="next"' not in page


def test_the_strip_marks_what_changed_and_leads_to_each_figure(client, maker) -> None:
    project = maker.project()
    runs = []
    for number, shade in enumerate((1, 1, 2), 1):
        evaluation = maker.evaluation(maker.commit(project, number))
        runs.append(shown_run(maker, evaluation, picture(png(shade)), {"text/html": TABLE}))
    page = client.get("/projects/flights/reports/sanity_check").text
    strip = page.partition('id="film"')[2].partition("</section>")[0]
    row = strip.partition("Delay by hour · image")[2].partition("</tbody>")[0]
    assert re.findall(r"shot is-(\w+)", row) == ["first", "same", "changed"]
    for run in runs:
        assert f"/runs/{run.id}/figures/1" in row
    assert digest(png(2))[:8] in row
    assert re.search(r'<img loading="lazy"[^>]* width="\d+" height="\d+"', row)
    near = client.get(f"/runs/{runs[1].id}/figures/1").text
    assert near.index("exactly this figure") < near.index("another than this")


def test_a_report_without_figures_has_no_strip(client, maker, evaluation) -> None:
    maker.run(evaluation)
    assert 'id="film"' not in client.get("/projects/flights/reports/sanity_check").text


def test_what_a_figure_shows_is_sent_in_the_sandbox_for_ever(client, maker, evaluation) -> None:
    shown_run(maker, evaluation, picture(png(1)), {"text/html": TABLE})
    answer = client.get(f"/figures/{digest(png(1))}")
    assert answer.data == png(1)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert "immutable" in answer.headers["Cache-Control"]
    again = client.get(
        f"/figures/{digest(png(1))}", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(f"/figures/{digest(png(1))}/thumbnail.svg").status_code == 200


def test_the_digest_is_that_of_what_is_sent(client, maker, evaluation) -> None:
    run = shown_run(
        maker, evaluation, picture(png(1)), {"text/html": TABLE}, {PLOTLY: {"data": []}}
    )
    for one in client.get(f"/api/v1/runs/{run.id}/figures").json["items"]:
        path = one["links"]["content"].removeprefix("http://localhost")
        assert digest(client.get(path).data) == one["sha256"]


def test_nothing_else_of_the_store_is_given_out_as_a_figure(client, maker, evaluation) -> None:
    run = shown_run(maker, evaluation, picture(png(1)))
    for sha256 in (run.notebook, run.html, "0" * 64, "..", "x" * 5000, "%27"):
        assert client.get(f"/figures/{sha256}").status_code == 404, sha256
        assert client.get(f"/figures/{sha256}/thumbnail.svg").status_code == 404, sha256


def test_a_figure_that_is_lost_leaves_its_page(client, maker, evaluation) -> None:
    run = shown_run(maker, evaluation, picture(png(1)), {"text/html": TABLE})
    table = client.get(f"/api/v1/runs/{run.id}/figures").json["items"][1]["sha256"]
    for sha256 in (digest(png(1)), table, run.notebook):
        maker.installation.store.path(sha256).unlink()
    assert client.get(f"/runs/{run.id}/figures/1").status_code == 200
    assert "no longer in the store" in client.get(f"/runs/{run.id}/figures/2").text
    assert client.get(f"/figures/{table}").status_code == 404
    assert client.get(f"/figures/{table}/thumbnail.svg").status_code == 404


def test_what_users_wrote_is_text_wherever_it_is_shown(client, maker, evaluation) -> None:
    cells = notebook(
        [
            {"text/html": f"<table><tr><th onclick=x>{base64.b64encode(b'x').decode()}&lt;b&gt;"
             "&lt;script&gt;\x07\ud800\uffff]]&gt;</table>"},
            {"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{EVIL}</svg>"},
        ],
        heading=f"{EVIL}\"'&",
    )  # fmt: skip
    run = noted_run(maker, evaluation, cells.replace(b"plot(", b"</code><script>plot("))
    shown_run(maker, evaluation)
    for path in ("", "/1", "/2"):
        page = client.get(f"/runs/{run.id}/figures{path}").text
        assert "<script>" not in page.replace("<script src=", "")
    (table, svg) = client.get(f"/api/v1/runs/{run.id}/figures").json["items"]
    drawn = client.get(f"/figures/{table['sha256']}/thumbnail.svg").text
    assert "<script" not in drawn
    assert "&lt;b&gt;" in drawn
    sent = client.get(f"/figures/{svg['sha256']}")
    assert "connect-src 'none'" in sent.headers["Content-Security-Policy"]
    assert sent.headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_with_very_much_on_it_is_bounded(client, maker, evaluation) -> None:
    wide = "<table>" + ("<tr>" + "<td>1.5</td>" * 300 + "</tr>") * 200 + "</table>"
    odd = [{"image/png": "%%%"}, {"image/png": base64.b64encode(b"x" * 9_000_000).decode()}]
    shown = [*odd, {"text/html": wide}, *(picture(png(n % 250)) for n in range(500))]
    began = time.monotonic()
    run = shown_run(maker, evaluation, *shown)
    place, numbers = f"/runs/{run.id}/figures", []
    while place:
        listed = client.get(place).text
        here = [int(number) for number in re.findall(r'id="figure-(\d+)"', listed)]
        assert len(here) <= 100
        assert f"Figures and tables {here[0]} to {here[-1]} of 501." in listed
        numbers += here
        found = re.search(r'<a rel="next" href="([^"]+)"', listed)
        place = found and found[1]
    assert numbers == list(range(1, 502))
    whole = client.get(f"/runs/{run.id}/figures/350").text
    back = re.search(r'href="(/runs/[^"]*/figures[^"]*#figure-350)"', whole)
    assert back
    assert 'id="figure-350"' in client.get(back[1].partition("#")[0]).text
    for odd in ("0", "-5", "x", "9" * 30):
        assert client.get(f"/runs/{run.id}/figures?from={odd}").status_code == 200
    table = client.get(f"/runs/{run.id}/figures/1").text
    assert table.count("<td>") <= 200 * 41
    assert "all of it as JSON" in table
    assert client.get("/projects/flights/reports/sanity_check").status_code == 200
    assert time.monotonic() - began < 60


def test_a_notebook_that_is_too_large_is_not_read(client, maker, evaluation) -> None:
    run = shown_run(maker, evaluation, {"image/png": "A" * 40_000_000}, {"text/html": TABLE})
    assert "in executed notebooks of up to 20 MB" in client.get(f"/runs/{run.id}/figures").text
    assert client.get(f"/api/v1/runs/{run.id}/figures").json["total"] == 0


def test_the_interface_lists_figures(client, maker, evaluation) -> None:
    run = shown_run(maker, evaluation, picture(png(1)))
    assert client.get(f"/api/v1/runs/{run.id}/figures").json == {
        "total": 1,
        "items": [
            {
                "id": f"{run.id}/figures/1",
                "slot": "delay-by-hour/image-1",
                "kind": "image",
                "heading": "Delay by hour",
                "sha256": digest(png(1)),
                "size": len(png(1)),
                "media_type": "image/png",
                "cell": 2,
                "links": {
                    "page": f"http://localhost/runs/{run.id}/figures/1",
                    "content": f"http://localhost/figures/{digest(png(1))}",
                },
            }
        ],
    }
    unread = noted_run(maker, evaluation, notebook([]))
    assert client.get(f"/api/v1/runs/{unread.id}/figures").json == {"total": None, "items": []}
    answer = client.get("/api/v1/runs/run_none/figures")
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "unknown_run")
    assert json.dumps(client.get("/api/v1/openapi.json").json).count("/figures") >= 1


def test_of_more_figures_than_are_kept_the_first_are_known(
    client, maker, evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.work.indexing.MOST_FIGURES", 2)
    run = shown_run(maker, evaluation, *(picture(png(number)) for number in range(5)))
    told = client.get(f"/runs/{run.id}/figures").text
    assert "Figures and tables 1 to 2 of 5, of which the first 2 are known." in told
    assert 'rel="next"' not in told
