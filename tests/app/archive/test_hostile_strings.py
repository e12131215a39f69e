import json
from html import escape
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from app.work.indexing import read_pages
from provenance.ledger.states import Status, Verdict
from provenance.ledger.text_tables import PageText
from provenance.ledger.words import note_page
from tests.app.archive.maker import Maker

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
    project = maker.project(NAME, url=EVIL)
    commit = maker.commit(project, 1, subject=EVIL, author=EVIL)
    error = dict.fromkeys(("kind", "message", "where", "traceback", "hint"), EVIL)
    evaluation = maker.evaluation(commit, branch=EVIL, revision=EVIL, actor=EVIL, error=error)
    data = json.dumps({"environment": {"python": EVIL, "implementation": EVIL}, EVIL: EVIL})
    cell = {"cell_type": "code", "source": EVIL, "metadata": {"tags": [EVIL]}}
    cell["outputs"] = [
        {"output_type": "stream", "text": EVIL},
        {"output_type": "error", "ename": EVIL, "evalue": EVIL, "traceback": [EVIL]},
        {"output_type": "display_data", "data": {"image/png": EVIL}},
        {"output_type": "display_data", "data": {"text/html": EVIL}},
        {"output_type": "display_data", "data": {EVIL: EVIL}},
        {"output_type": "display_data", "data": {"text/html": f"<table><td>{EVIL}"}},
        {"output_type": "display_data", "data": {"text/html": f"<table><tr><th>{escape(EVIL)}"}},
        {"output_type": "display_data", "data": {"image/svg+xml": EVIL}},
    ]
    heading = {"cell_type": "markdown", "source": f"# {EVIL}"}
    notebook = {"cells": [heading, cell], "metadata": {"kernelspec": {"display_name": EVIL}}}
    run = maker.run(
        evaluation,
        NAME,
        params={EVIL: EVIL},
        verdict=Verdict.FAILED,
        error=error,
        doing=EVIL,
        record=maker.keep(data.encode()),
        notebook=maker.keep(json.dumps(notebook).encode()),
        log=maker.keep(EVIL.encode()),
        environment=ENVIRONMENT,
        html=maker.keep(b"<p>what a report does in its sandbox is its own affair</p>"),
        metrics={EVIL: (1.0, EVIL, EVIL)},
        checks=[(False, EVIL)],
    )
    page = PageText(html=run.html, notebook=run.notebook, project_id=project.id, names=EVIL)
    with maker.installation.ledger.writing() as session:
        note_page(session, page)
    assert read_pages(maker.installation, 9.0) == 1
    maker.job(run, 0, stage=EVIL, sentence=EVIL, status=EVIL)
    maker.input(run, name=EVIL, media_type=EVIL, producer=EVIL)
    live = maker.run(evaluation, NAME, params={EVIL: 2}, status=Status.RUNNING, doing=EVIL)
    maker.event(live, 1, "stage", stage=EVIL, status=EVIL, sentence=EVIL, seconds=None)
    text = dict.fromkeys(("title", "source", "text", "error", "image"), EVIL)
    maker.event(live, 2, "cell", index=1, total=2, seconds=1.0, **text)
    maker.event(live, 3, "log", text=EVIL)
    maker.event(live, 4, "at_work", cell=2, title=EVIL, text=EVIL)
    environment = maker.environment(
        ENVIRONMENT, source=EVIL, python=EVIL, platform=EVIL, packages={EVIL: EVIL}
    )
    error = {"message": EVIL, "hint": EVIL}
    facts = {"host": EVIL, "log": maker.keep(EVIL.encode()), "error": error, "run_id": EVIL}
    maker.build(environment, state="failed", **facts)
    maker.build(environment, state=EVIL, **facts)
    return [run.id, live.id, evaluation.id]


def pages(app, ids: list[str]) -> list[str]:
    run, live, evaluation = ids
    with app.test_request_context():
        urls = [
            app.url_for("archive.project", project=NAME),
            app.url_for("archive.report", project=NAME, report=NAME),
            app.url_for("archive.report", project=NAME, report=NAME, case=EVIL, branch=EVIL),
            app.url_for("archive.latest", project=NAME, report=NAME, date=EVIL, branch=EVIL),
            app.url_for("archive.project", project=NAME + "x"),
        ]
    tabs = [f"/runs/{run}{tab}" for tab in ("", "/notebook", "/provenance", "/log", *FIGURES)]
    others = [
        "/",
        "/environments",
        f"/environments/{ENVIRONMENT}",
        f"/runs/{live}",
        f"/runs/{live}/live?seen=running.0.0.other",
        f"/evaluations/{evaluation}",
        f"/search?q={quote(EVIL)}",
        f"/search?q={quote(EVIL)}&brief=1",
        f"/search?q={quote('report:' + EVIL)}",
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


def test_a_badge_holds_a_hostile_name_as_text(app, client, hostile):
    with app.test_request_context():
        url = app.url_for("archive.badge", project=NAME, report=NAME, branch=EVIL)
    answer = client.get(url)
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_templates_are_not_evaluated_in_data(app, client, hostile):
    assert "60481729" not in client.get(pages(app, hostile)[0]).text.split("<main")[1]
