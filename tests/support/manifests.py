"""A manifest that says a little of everything, and the files that it names."""

import json
from typing import Any

import pytest

from pipeline.manifest import ManifestError, Problem, read_manifest
from pipeline.repository.tree import MemoryTree, Tree

MANIFEST = """\
[project]
name = "flights"

[environment]
from = "requirements.txt"
preload = ["pandas", "scipy.stats"]

[sources.replica]
url_env = "FLIGHTS_REPLICA_URL"

[params.date]
type = "date"
default = "2013-01-31"

[params.limit]
type = "integer"
default = 100
min = 1
max = 1000

[stages.departures]
sql = "queries/departures.sql"
source = "replica"

[stages.features]
python = "stages.features:build"
inputs = { departures = "departures" }
outputs = ["table", "totals"]
timeout = 60

[reports.sanity_check]
template = "reports/sanity_check.ipynb"
inputs = { departures = "departures", f = "features.table" }
cases = [{ date = 2013-01-31 }, { date = "2013-02-28", n = 3 }]
on = ["push"]

[reports.card]
title = "The card"
template = "reports/sanity_check.ipynb"
"""
CODE = b"def build(departures, date, limit=5):\n    raise SystemExit\n"


def notebook(source: str = "departures = 'x'\nn = 1\ndate = '2013-01-01'") -> bytes:
    cell = {"cell_type": "code", "source": source, "metadata": {}}
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": [cell]}).encode()


def tree(manifest: str | bytes = MANIFEST, **changes: Any) -> MemoryTree:
    files = {
        "provenote.toml": manifest if isinstance(manifest, bytes) else manifest.encode(),
        "requirements.txt": b"",
        "queries/departures.sql": b"SELECT * FROM flights WHERE day = :date -- :no",
        "stages/features.py": CODE,
        "reports/sanity_check.ipynb": notebook(),
    }
    named = {path.replace("/", "_").replace(".", "_"): path for path in files}
    changed = {named[name]: content for name, content in changes.items()}
    merged = {**files, **changed}
    return MemoryTree({path: content for path, content in merged.items() if content is not None})


def edited(*edits: tuple[str, str]) -> str:
    text = MANIFEST
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def problems(files: Tree) -> list[Problem]:
    with pytest.raises(ManifestError) as caught:
        read_manifest(files)
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)
    return list(caught.value.problems)


def only(files: MemoryTree) -> str:
    found = problems(files)
    assert len(found) == 1, found
    return str(found[0])
