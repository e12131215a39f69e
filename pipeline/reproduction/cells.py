"""Executed notebooks cell by cell, by what the cells show."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from pipeline.reproduction.answer import Finding, Grade
from pipeline.reproduction.closeness import Closeness, Measure, compare_texts
from pipeline.reproduction.pictures import compare_pictures
from provenance.explain.shown import Shown, shown_by, template_cells

Notebook = Mapping[str, Any]
_RANK = {grade: rank for rank, grade in enumerate(Grade)}


@dataclass(frozen=True)
class CellsCompared:
    """What differs, which cells hold something that was set aside, and how many there are."""

    findings: tuple[Finding, ...]
    aside: tuple[str, ...]
    cells: int


def compare_notebooks(before: Notebook, after: Notebook, measure: Measure) -> CellsCompared:
    """Compare what the code cells show; cells are numbered as in the template."""
    old, new = list(_code_cells(before)), list(_code_cells(after))
    findings, aside = [], []
    for was, now in zip_longest(old, new):
        number, _ = now or was
        where = f"cell {number}"
        if was is None or now is None:
            said = "it was not there before" if was is None else "it is not there any more"
            findings.append(Finding(where, Grade.DIFFERS, said))
            continue
        found = _compare_cell(where, was[1], now[1], measure)
        findings += [one for one, _ in found if one is not None]
        aside += [where] if any(set_aside for _, set_aside in found) else []
    return CellsCompared(tuple(findings), tuple(aside), len(new))


def _code_cells(notebook: Notebook) -> Iterator[tuple[int, list[Shown]]]:
    """Yield the code cells with their numbers, counted as a reader of the template does."""
    for number, cell in template_cells(notebook):
        if cell.get("cell_type") == "code":
            yield number, shown_by(cell.get("outputs"))


def _compare_cell(
    where: str, old: list[Shown], new: list[Shown], measure: Measure
) -> list[tuple[Finding | None, bool]]:
    """Return the worst difference of a cell, and whether anything was set aside."""
    kinds = [[shown.kind for shown in side] for side in (old, new)]
    if kinds[0] != kinds[1]:
        told = [", ".join(side) or "nothing" for side in kinds]
        return [(Finding(where, Grade.DIFFERS, f"it shows {told[1]}, was {told[0]}"), False)]
    closeness = [
        (one.kind, _compare_shown(one, other, measure)) for one, other in zip(old, new, strict=True)
    ]
    aside = any(found.aside for _, found in closeness)
    if all(found.grade == Grade.IDENTICAL for _, found in closeness):
        return [(None, aside)]
    kind, found = max(closeness, key=lambda pair: _severity(pair[1]))
    return [(finding_of(where, _VERBS.get(kind, "shows"), found), aside)]


_VERBS = {"stdout": "prints", "stderr": "warns", "error": "raises"}


def _severity(found: Closeness) -> tuple[int, float]:
    return _RANK[found.grade], found.relative or 0.0


def finding_of(where: str, verb: str, found: Closeness) -> Finding:
    """Return what a comparison says of one place."""
    said = f"it {verb} {found.after or 'nothing'}"
    said = f"{said}, was {found.before}" if found.before else said
    return Finding(where, found.grade, said, found.relative, found.before, found.after)


def _compare_shown(old: Shown, new: Shown, measure: Measure) -> Closeness:
    if old.content == new.content:
        return Closeness(Grade.IDENTICAL)
    if old.kind == "image/png":
        try:
            return compare_pictures(_bytes(old.content), _bytes(new.content))
        except binascii.Error:
            return Closeness(Grade.DIFFERS, None, "", "a picture that cannot be read")
    if old.kind.startswith(("image/", "application/pdf")) and old.kind != "image/svg+xml":
        return Closeness(Grade.DIFFERS, None, "", f"{old.kind} of other bytes")
    return compare_texts(old.content, new.content, measure)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.replace("\n", ""), validate=True)
