"""Notebooks and report pages for the tests of rendering."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import nbformat

from pipeline.rendering.colophon import Colophon, EnvironmentLine, InputLine, StageLine
from pipeline.rendering.render import Rendered, render_report

v4 = nbformat.v4
SHA = "4f2c9a1b77d0c3e85512aa90fe61b2d4c83f7e09"
KEY = "77aa" * 16
INPUT = "6d1f" * 16
ATTACK = "</script></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'"


def notebook(*cells: Any) -> bytes:
    return str(nbformat.writes(v4.new_notebook(cells=list(cells)))).encode()


def markdown(source: str) -> Any:
    return v4.new_markdown_cell(source)


def code(source: str, *outputs: Any, tags: tuple[str, ...] = ()) -> Any:
    cell = v4.new_code_cell(source, outputs=list(outputs), execution_count=1)
    cell.metadata["tags"] = list(tags)
    return cell


def display(**data: str) -> Any:
    forms = {mime.replace("__", "/"): value for mime, value in data.items()}
    return v4.new_output("display_data", data=forms)


def html(fragment: str) -> Any:
    return display(text__html=fragment)


def raised(name: str = "KeyError", value: str = "'hour'") -> Any:
    trace = ["\x1b[31m" + "-" * 75 + "\x1b[39m", f"\x1b[31m{name}\x1b[39m: {value}"]
    return v4.new_output("error", ename=name, evalue=value, traceback=trace)


def colophon(**changes: Any) -> Colophon:
    values: dict[str, Any] = {
        "project": "flights",
        "report": "sanity_check",
        "title": "sanity_check",
        "commit": SHA,
        "branch": "main",
        "subject": "Use arrival hour",
        "author": "Ada",
        "committed_at": datetime(2026, 11, 20, 14, 2, tzinfo=UTC),
        "params": {"date": "2013-02-28", "limits": {"rmse": 16}},
        "origins": {"date": "case", "limits": "default"},
        "inputs": (InputLine("departures", INPUT, 1234567, "text/csv", "departures", KEY),),
        "stages": (StageLine("departures", KEY, "reused"),),
        "key": KEY,
        "verdict": "passed",
        "checks": ((True, "at least one row"),),
        "metrics": (("rmse", 14.2, "min", "lower"), ("rows", 26398.0, None, None)),
        "environment": EnvironmentLine("3.11.7", "beef" * 16, 41, {"pandas": "3.1.1"}),
        "trigger": "push",
        "actor": "ada",
        "started_at": datetime(2026, 11, 21, 0, 12, tzinfo=UTC),
        "seconds": 0.2134,
        "host": "worker-1",
        "provenote_version": "0.1.0",
        "reproduce": f"provenote run sanity_check --commit {SHA}",
    }
    return Colophon(**(values | changes))


def report(*cells: Any, record: dict[str, object] | None = None, **changes: Any) -> str:
    return rendered(*cells, record=record, **changes).html


def rendered(*cells: Any, record: dict[str, object] | None = None, **changes: Any) -> Rendered:
    return render_report(notebook(*cells), colophon(**changes), record or {"name": "run"})


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of some of them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text[self.open[-1]] = self.text.get(self.open[-1], "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.found if name == tag]


HOSTILE = {
    "project": ATTACK,
    "report": ATTACK,
    "title": ATTACK,
    "commit": ATTACK,
    "branch": ATTACK,
    "subject": ATTACK,
    "author": ATTACK,
    "dirty": ATTACK,
    "params": {ATTACK: ATTACK, "list": [ATTACK]},
    "origins": {ATTACK: ATTACK},
    "inputs": (InputLine(ATTACK, ATTACK, 1, ATTACK, ATTACK, ATTACK),),
    "stages": (StageLine(ATTACK, ATTACK, ATTACK),),
    "key": ATTACK,
    "verdict": "error",
    "error": ATTACK,
    "checks": ((True, ATTACK), (False, ATTACK)),
    "metrics": ((ATTACK, 1.0, ATTACK, ATTACK), ("nan", None, None, None)),
    "environment": EnvironmentLine(ATTACK, ATTACK, 1, {ATTACK: ATTACK}),
    "trigger": ATTACK,
    "actor": ATTACK,
    "host": ATTACK,
    "provenote_version": ATTACK,
    "reproduce": ATTACK,
}

NO_NOTEBOOKS = [
    b"",
    b"\xff\xfe",
    b"[]",
    b"{}",
    b'"text"',
    b'{"nbformat": 4}',
    b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}',
    b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 3}',
    b'{"nbformat": 9, "nbformat_minor": 5, "metadata": {}, "cells": []}',
    b"[" * 100_000,
    b'{"nbformat": 4, "nbformat_minor": 5, "cells": [], "metadata": {"a": '
    + b'{"a": ' * 900
    + b"1"
    + b"}" * 902,
]
