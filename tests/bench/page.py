"""``python -m tests.bench.page RESULTS [PAGE]``: the tables of a page, made from results.

RESULTS is the JSON that ``make bench`` leaves. What stands in PAGE (docs/benchmarks.md) between
the two marks is replaced; all around it is written by hand.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, Goal, Table, digits, told
from tests.bench.results import Results, read_results

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def main() -> None:
    """Write the page."""
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    page = Path(sys.argv[2]) if len(sys.argv) == 3 else PAGE
    text = page.read_text(encoding="utf-8")
    page.write_text(replaced(text, read_results(Path(sys.argv[1]))), encoding="utf-8")


def replaced(text: str, results: Results) -> str:
    """Return the page *text* with *results* between its marks; leaves where a mark is missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"The page has no {BEGIN} with {END} behind it: nothing was written.")
    return f"{before}{BEGIN}\n\n{markdown(results)}\n{END}{after}"


def markdown(results: Results) -> str:
    """Return *results* as Markdown: the machine, what was to be reached, and every table."""
    parts = [_about(results.about), _goals(results.tables), _left_out(results)]
    parts += [_table(table) for table in results.tables]
    return "\n".join(part for part in parts if part)


def _about(about: Mapping[str, Any]) -> str:
    day, peers = about["at"][:10], _versions(about["peers"])
    loads = f"{about['load_before'][0]:.1f} when it began, {about['load_after'][0]:.1f} at the end"
    return (
        f"{day}; {about['cores']} cores of {about['processor']}, {_gibibytes(about['memory'])}, "
        f"{about['system']}, Python {about['python']}, git {about['git']}. Load average {loads}; "
        f"all of it took {about['seconds'] / 60:.0f} minutes. provenote {about['provenote']} with "
        f"{_versions(about['own'])}; peers: {peers}.\n"
    )


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _gibibytes(told_by_system: str) -> str:
    number = told_by_system.split(maxsplit=1)[0]
    return f"{int(number) / 1024**2:.0f} GiB" if number.isdecimal() else "memory unknown"


def _goals(tables: Iterable[Table]) -> str:
    lines = [_goal(table.row, goal) for table in tables for goal in table.goals]
    if not lines:
        return ""
    head = ["### To reach", "", "| | what | found | to reach | |", "|---|---|---|---|---|"]
    return "\n".join([*head, *lines, ""])


def _goal(row: str, goal: Goal) -> str:
    found = told(goal.found, goal.unit)
    return f"| {row} | {_cell(goal.what)} | {found} | {goal.target} | {_mark(goal)} |"


def _mark(goal: Goal) -> str:
    return "reached" if goal.reached else "**not reached**"


def _left_out(results: Results) -> str:
    lines = [f"- {name}: {reason}." for name, reason in results.left_out.items()]
    return "\n".join(["Left out:", "", *lines, ""]) if lines else ""


def _table(table: Table) -> str:
    parts = [f"### {table.title}", ""]
    if table.words:
        parts += [table.words, ""]
    if all(figure.rounds == 1 for figure in table.figures):
        return "\n".join([*parts, *_once(table), ""])
    return "\n".join([*parts, *_rounds(table), ""])


def _once(table: Table) -> Iterator[str]:
    """Yield the lines of a table of what was done once."""
    yield from ("| | once | ratio |", "|---|---|---|")
    for figure in table.figures:
        value = told(figure.median, figure.unit)
        yield f"| {_cell(figure.name)} | {value} |{_ratio(table, figure)}|"


def _rounds(table: Table) -> Iterator[str]:
    yield from ("| | median | min | max | rounds | ratio |", "|---|---|---|---|---|---|")
    for figure in table.figures:
        values = (figure.median, figure.minimum, figure.maximum)
        columns = " | ".join(told(value, figure.unit) for value in values)
        name = _cell(figure.name)
        yield f"| {name} | {columns} | {figure.rounds} |{_ratio(table, figure)}|"


def _ratio(table: Table, figure: Figure) -> str:
    ratio = table.ratio(figure)
    return " " if ratio is None else f" {digits(ratio)} "


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
