import base64
import json
import struct
import zlib
from typing import Any

import pytest
from flask.testing import FlaskClient

from provenance.ledger.tables import Run
from tests.app.archive.maker import Maker


def png(shade: int) -> str:
    """Return a picture of 40 × 20 pixels in one shade of grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", 40, 20, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes([shade]) * 40) * 20)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + data).decode()


def notebook(shade: int, delay: str, source: str = "plot()") -> bytes:
    table = (
        f"<table><tr><th>hour</th><th>delay</th></tr><tr><td>6</td><td>{delay}</td></tr></table>"
    )
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "source": "# Delays"},
        {"cell_type": "code", "source": source, "outputs": [shown({"image/png": png(shade)})]},
        {"cell_type": "code", "source": "frame", "outputs": [shown({"text/html": table})]},
    ]
    return json.dumps({"cells": cells}).encode()


def shown(data: dict[str, str]) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data}


@pytest.fixture
def two(maker: Maker) -> tuple[Run, Run]:
    """Two runs of one case, of which the second has another figure, table and source."""
    project = maker.project()
    books = (notebook(40, "3.5"), notebook(200, "9.5", "plot(bars=True)"))
    first, second = (
        maker.run(maker.evaluation(maker.commit(project, number)), notebook=maker.keep(book))
        for number, book in enumerate(books, start=1)
    )
    return first, second


def compare(client: FlaskClient, a: Run, b: Run) -> str:
    answer = client.get(f"/compare?a={a.id}&b={b.id}")
    assert answer.status_code == 200
    return answer.text


def test_cells_that_differ_are_side_by_side_and_the_others_are_counted(client, two):
    text = compare(client, *two)
    assert "-plot()" in text
    assert "+plot(bars=True)" in text
    assert "<del>3.5</del> <ins>9.5</ins>" in text
    assert text.count('class="before" src="data:image/png;base64,') == 1
    assert "1 cell is the same." in text


def test_a_run_is_the_same_as_itself_in_each_cell(client, two):
    assert "All 3 cells show the same." in compare(client, two[0], two[0])


def test_a_run_without_a_notebook_is_told(client, maker: Maker, two):
    none = maker.run(maker.evaluation(maker.commit(maker.project("other"), 1)), notebook=None)
    assert "The notebook of the run after is not there." in compare(client, two[0], none)


def test_two_of_a_list_lead_to_an_address_that_lasts(client, two):
    first, second = (run.id for run in two)
    answer = client.get(f"/compare?pick={second}&pick={first}")
    assert answer.location == f"/compare?a={first}&b={second}"
    assert client.get(f"/compare?pick={first}").location == f"/compare?a={first}"
    three = client.get("/compare?pick=x&pick=y&pick=z")
    assert three.status_code == 400
    assert "3 runs are picked" in three.text


def test_the_other_run_can_be_chosen(client, two):
    first, second = two
    for run in two:
        text = client.get(f"/compare?a={run.id}").text
        assert f"/compare?a={first.id}&amp;b={second.id}" in text


def test_addresses_that_name_no_runs_are_refused_in_plain_words(client, two):
    assert client.get("/compare").status_code == 400
    assert client.get(f"/compare?a={two[0].id}&b=run_none").status_code == 404


def test_runs_of_a_history_can_be_picked(client, two):
    text = client.get("/projects/flights/reports/sanity_check").text
    assert text.count('name="pick"') == 2
    assert 'action="/compare"' in text


def test_one_file_has_the_same_without_scripts_and_without_addresses_of_ours(client, two):
    answer = client.get(f"/compare?a={two[0].id}&b={two[1].id}&standalone=1")
    assert "<script" not in answer.text
    assert 'href="/' not in answer.text
    assert answer.text.count("data:image/png;base64,") == 2
    assert "<del>3.5</del> <ins>9.5</ins>" in answer.text
    assert " ago</time>" not in answer.text, "it says when, not how long ago"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert f'content="{policy.partition("; frame-ancestors")[0]}"' in answer.text.replace(
        "&#39;", "'"
    )
