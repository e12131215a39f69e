import json
import re
from html import escape
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from app.work.indexing import read_pages
from provenance.datasets.pins import pin
from provenance.ledger.bin import delete_runs
from provenance.ledger.marks import add_comment
from provenance.ledger.retention import set_retention
from provenance.ledger.states import Status, Verdict
from provenance.ledger.text_tables import PageText
from provenance.measuring import measure_storage
from tests.app.archive.maker import Maker
from tests.support.rows import publish_page

EVIL = (
    "\"'><script>evil()</script><img src=x onerror=evil()>"
    "{{7777*7777}}</title></textarea></script><!--\u202e]]>"
)

NAME = EVIL.replace("/", "")
"""As a part of an address, where a slash would start the next one."""

ENVIRONMENT = "e" * 64
FIGURES = ("/figures", "/figures/1", "/figures/2")


class Inert(HTMLParser):
    """Refuses everything that could run: foreign scripts, handlers, script addresses."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "hr"})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert not any(name.startswith(("on", "hx-on", "data-hx-on")) for name in values), attrs
        assert "style" not in values, attrs
        for name in ("href", "src", "action", "data-hx-get"):
            address = (values.get(name) or "").strip().lower()
            assert not address.startswith(("javascript:", "data:text", "//", "http")), attrs
        if tag == "script":
            assert (values.get("src") or "").startswith("/static/"), attrs
        assert tag != "style"
        assert (tag, values.get("src")) != ("img", "x")


@pytest.fixture
def hostile(maker: Maker) -> list[str]:
    """Fill every field that somebody outside can write with the same text."""
    return fill(maker, NAME, EVIL)


def fill(maker: Maker, name: str, text: str) -> list[str]:
    """Fill every field with *text*, and return the ids of a run, a live one, an evaluation."""
    project = maker.project(name, url=text)
    commit = maker.commit(project, 1, subject=text, author=text)
    error = dict.fromkeys(("kind", "message", "where", "traceback", "hint"), text)
    evaluation = maker.evaluation(commit, branch=text, revision=text, actor=text, error=error)
    data = json.dumps({"environment": {"python": text, "implementation": text}, text: text})
    cell = {"cell_type": "code", "source": text, "metadata": {"tags": [text]}}
    cell["outputs"] = [
        {"output_type": "stream", "text": text},
        {"output_type": "error", "ename": text, "evalue": text, "traceback": [text]},
        {"output_type": "display_data", "data": {"image/png": text}},
        {"output_type": "display_data", "data": {"text/html": text}},
        {"output_type": "display_data", "data": {text: text}},
        {"output_type": "display_data", "data": {"text/html": f"<table><td>{text}"}},
        {"output_type": "display_data", "data": {"text/html": f"<table><tr><th>{escape(text)}"}},
        {"output_type": "display_data", "data": {"image/svg+xml": text}},
    ]
    heading = {"cell_type": "markdown", "source": f"# {text}"}
    notebook = {"cells": [heading, cell], "metadata": {"kernelspec": {"display_name": text}}}
    run = maker.run(
        evaluation,
        name,
        params={text: text},
        verdict=Verdict.FAILED,
        error=error,
        doing=text,
        record=maker.keep(data.encode()),
        notebook=maker.keep(json.dumps(notebook).encode()),
        log=maker.keep(text.encode()),
        environment=ENVIRONMENT,
        html=maker.keep(b"<p>what a report does in its sandbox is its own affair</p>"),
        metrics={text: (1.0, text, text)},
        checks=[(False, text)],
    )
    page = PageText(html=run.html, notebook=run.notebook, project_id=project.id, names=text)
    with maker.installation.ledger.writing() as session:
        publish_page(session, page)
    assert read_pages(maker.installation, 9.0) == 1
    maker.job(run, 0, stage=text, sentence=text, status=text)
    maker.input(run, name=text, media_type=text, producer=text)
    live = maker.run(evaluation, name, params={text: 2}, status=Status.RUNNING, doing=text)
    maker.event(live, 1, "stage", stage=text, status=text, sentence=text, seconds=None)
    cell_told = dict.fromkeys(("title", "source", "text", "error", "image"), text)
    maker.event(live, 2, "cell", index=1, total=2, seconds=1.0, **cell_told)
    maker.event(live, 3, "log", text=text)
    maker.event(live, 4, "at_work", cell=2, title=text, text=text)
    environment = maker.environment(
        ENVIRONMENT, source=text, python=text, platform=text, packages={text: text}
    )
    error = {"message": text, "hint": text}
    facts = {"host": text, "log": maker.keep(text.encode()), "error": error, "run_id": text}
    maker.build(environment, state="failed", **facts)
    maker.build(environment, state=text, **facts)
    gone = maker.run(evaluation, name, params={text: 3}, commit_sha=text)
    with maker.installation.ledger.writing() as session:
        delete_runs(session, [gone.id], text)
        add_comment(session, run.id, text[:5_000], text)
        pin(session, run.id, text, text)
        set_retention(session, project, "", 9, text)
    measure_storage(maker.installation.store, maker.installation.ledger)
    return [run.id, live.id, evaluation.id]


def pages(app, ids: list[str], name: str = NAME, text: str = EVIL) -> list[str]:
    run, live, evaluation = ids
    with app.test_request_context():
        urls = [
            app.url_for("archive.project", project=name),
            app.url_for("archive.report", project=name, report=name),
            app.url_for("archive.report", project=name, report=name, case=text, branch=text),
            app.url_for("archive.latest", project=name, report=name, date=text, branch=text),
            app.url_for("archive.project", project=name + "x"),
        ]
    tabs = [f"/runs/{run}{tab}" for tab in ("", "/notebook", "/provenance", "/log", *FIGURES)]
    others = [
        "/",
        "/environments",
        f"/environments/{ENVIRONMENT}",
        f"/runs/{live}",
        f"/runs/{live}/live?seen=running.0.0.other",
        f"/evaluations/{evaluation}",
        f"/search?q={quote(text)}",
        f"/search?q={quote(text)}&brief=1",
        f"/search?q={quote('report:' + text)}",
        f"/compare?a={run}&b={run}",
        f"/explain?a={run}",
        "/bin",
        "/storage",
    ]
    return urls + tabs + others


def test_hostile_texts_are_inert_on_every_page(app, client, hostile):
    urls = pages(app, hostile)
    for url in urls:
        answer = client.get(url)
        expected = 404 if "/latest/" in url or url == urls[4] else 200
        assert answer.status_code == expected, url
        if "/latest/" not in url:
            assert "evil()" in answer.text, url
        assert "<script>evil" not in answer.text, url
        assert "<img src=x" not in answer.text, url
        Inert().feed(answer.text)


def test_hostile_texts_are_inert_in_a_comparison_that_is_one_file(client, hostile):
    text = client.get(f"/compare?a={hostile[0]}&b={hostile[0]}&standalone=1").text
    before, styles, rest = re.split("<style>|</style>", text, maxsplit=2)
    assert "evil()" in before + rest
    assert "evil()" not in styles
    Inert().feed(before + rest.replace("http://localhost/compare?", "/compare?"))


def test_a_badge_holds_a_hostile_name_as_text(app, client, hostile):
    with app.test_request_context():
        url = app.url_for("archive.badge", project=NAME, report=NAME, branch=EVIL)
    answer = client.get(url)
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_templates_are_not_evaluated_in_data(app, client, hostile):
    assert "60481729" not in client.get(pages(app, hostile)[0]).text.split("<main")[1]
