"""Tables as they are printed while a bench goes on."""

from collections.abc import Iterable

from tests.bench.figures import Goal, Table, digits, told

_WIDTH = 58


def print_table(table: Table) -> None:
    """Print a table; the ratio is to its first figure."""
    heads = "".join(f"{head:>12}" for head in ("median", "min", "max"))
    print(f"\n{f'{table.row}. {table.title}':<{_WIDTH}}{heads}{'ratio':>9}")
    for figure in table.figures:
        values = (figure.median, figure.minimum, figure.maximum)
        if figure.rounds == 1:
            values = values[:1]
        columns = "".join(f"{told(value, figure.unit):>12}" for value in values)
        columns = f"{columns:<36}"
        ratio = table.ratio(figure)
        print(f"{figure.name:<{_WIDTH}}{columns}{'' if ratio is None else digits(ratio):>9}")
    for goal in table.goals:
        print(f"  {line_of(goal)}")


def print_goals(tables: Iterable[Table]) -> None:
    """Print what was to be reached, all of it together."""
    lines = [f"  {table.row}. {line_of(goal)}" for table in tables for goal in table.goals]
    if lines:
        print("\n".join(["\nTo reach", *lines]))


def line_of(goal: Goal) -> str:
    """Return a goal, what was found, and whether that is enough, as one line."""
    found = told(goal.found, goal.unit)
    return f"{'✓' if goal.reached else '✕'} {goal.what}: {found} (to reach {goal.target})"
