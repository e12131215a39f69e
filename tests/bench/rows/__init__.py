"""The rows of the bench, each in a file that is named by what it measures."""

from collections.abc import Callable, Iterator
from importlib import import_module

from tests.bench.figures import Table
from tests.bench.place import Place

Measure = Callable[[Place], Iterator[Table]]
ROWS = {
    "a": "request_to_page",
    "b": "cold_shell",
    "c": "nothing_changed",
    "d": "many_reports",
    "e": "many_cells",
    "f": "pushes",
    "g": "plan_of_stages",
    "h": "render_cells",
    "i": "hash_inputs",
    "j": "waiting_kernels",
    "k": "growth",
    "l": "queue",
    "m": "archive",
}


def wanted_rows(only: str) -> list[str]:
    """Return the letters of the rows that *only* names, all where it is empty; in their order.

    A row is named by its letter or its file: ``a,nothing_changed``. Leaves the bench at a
    name that there is not.
    """
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in ROWS and name not in ROWS.values()]
    if unknown:
        known = ", ".join(f"{letter} ({name})" for letter, name in ROWS.items())
        raise SystemExit(f"There is no row {unknown[0]!r}. There are: {known}.")
    return [letter for letter, name in ROWS.items() if not names or {letter, name} & set(names)]


def measure_of(letter: str) -> Measure:
    """Return what measures a row: its module is imported only when it is its turn."""
    measure: Measure = import_module(f"{__name__}.{ROWS[letter]}").measure
    return measure
