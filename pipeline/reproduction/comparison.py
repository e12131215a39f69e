"""The runner's part: looking into two sets of files that users' code made."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.reproduction.answer import Finding, Grade
from pipeline.reproduction.cells import compare_notebooks, finding_of
from pipeline.reproduction.closeness import Closeness, Measure, compare_texts
from pipeline.reproduction.normal import Window
from pipeline.reproduction.pictures import compare_pictures
from pipeline.reproduction.tables import compare_tables

PARQUET = "application/vnd.apache.parquet"
MOST_BYTES = 512 * 1024 * 1024
MOST_TEXT = 32 * 1024 * 1024


def execute_comparison(job: dict[str, Any]) -> dict[str, Any]:
    """Compare the files that *job* (a CompareJob) names; what is equal is not told."""
    findings: list[Finding] = []
    aside: list[str] = []
    other_bytes: list[str] = []
    for told in job["files"]:
        measure = _measure(told["windows"], job["tolerance"])
        found = _compare_files(told, measure)
        what = f"{told['where']}, {told['name']}" if told["name"] else told["where"]
        aside += [what] if found.aside else []
        other_bytes += [what] if found.other_bytes else []
        if found.grade != Grade.IDENTICAL:
            findings.append(finding_of(told["where"], _verb(told["name"]), found))
    cells = 0
    if job["notebooks"] is not None:
        measure = _measure(job["notebooks"]["windows"], job["tolerance"])
        before, after = (
            json.loads(Path(job["notebooks"][side]).read_bytes()) for side in ("before", "after")
        )
        compared = compare_notebooks(before, after, measure)
        findings += compared.findings
        aside += compared.aside
        cells = compared.cells
    told = [asdict(one) for one in findings]
    return {"findings": told, "aside": aside, "other_bytes": other_bytes, "cells": cells}


def _verb(name: str) -> str:
    return f"gives {name} with" if name else "has"


def _measure(windows: Mapping[str, Any], tolerance: float) -> Measure:
    before, after = (
        Window(*(datetime.fromisoformat(at) for at in windows[side]))
        for side in ("before", "after")
    )
    return Measure(before, after, tolerance)


def _compare_files(told: Mapping[str, Any], measure: Measure) -> Closeness:
    before, after, media = Path(told["before"]), Path(told["after"]), str(told["media_type"])
    largest = max(path.stat().st_size for path in (before, after))
    if media == PARQUET and largest <= MOST_BYTES:
        return compare_tables(before, after, measure.tolerance)
    look = _looker(media, measure) if largest <= MOST_TEXT else None
    if look is None:
        return Closeness(Grade.DIFFERS, None, "", "other bytes")
    try:
        return look(before.read_bytes(), after.read_bytes())
    except UnicodeDecodeError:
        return Closeness(Grade.DIFFERS, None, "", "other bytes")


def _looker(media: str, measure: Measure) -> Callable[[bytes, bytes], Closeness] | None:
    """Return what can look into files of a kind; None where only their bytes can be compared."""
    if media == "image/png":
        return compare_pictures
    if media.startswith("text/") or media in ("application/json", "image/svg+xml"):
        return lambda a, b: compare_texts(a.decode(), b.decode(), measure)
    return None
