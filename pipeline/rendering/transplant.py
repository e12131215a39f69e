"""New words around old results: a template whose prose changed, with what its code gave before."""

import copy
from collections.abc import Iterator
from typing import Any

from provenance.explain.shown import INJECTED

_RESULTS = ("outputs", "execution_count")


class TransplantError(ValueError):
    """Raised when a template's code cells are not those that were executed."""


def transplant(template: dict[str, Any], executed: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook *template* with the outputs of *executed*, both as JSON values.

    Code cells are matched in order. The cell with the values of the run, which papermill
    injected, comes along to the same place among them.
    """
    groups = list(_groups(executed["cells"]))
    donors = [cells[0] for cells in groups[1:]]
    heirs = [cell for cell in template["cells"] if cell["cell_type"] == "code"]
    if len(donors) != len(heirs):
        raise TransplantError(f"{len(heirs)} code cells for the results of {len(donors)}")
    cells: list[dict[str, Any]] = list(groups[0])
    number = 0
    for cell in copy.deepcopy(template["cells"]):
        cells.append(cell)
        if cell["cell_type"] == "code":
            number += 1
            donor, *injected = groups[number]
            cell |= {name: donor[name] for name in _RESULTS}
            cell["metadata"] = {**donor.get("metadata", {}), **cell.get("metadata", {})}
            cells += injected
    return {**executed, "cells": cells}


def _groups(cells: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield first the cells injected before any code, then each code cell with those after it."""
    group: list[dict[str, Any]] = []
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        if INJECTED in cell.get("metadata", {}).get("tags", []):
            group.append(cell)
        else:
            yield group
            group = [cell]
    yield group
