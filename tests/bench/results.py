"""The results of a bench, and their form in JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, Goal, Table


@dataclass(frozen=True)
class Results:
    """All tables of one bench, and where and when they were measured."""

    about: Mapping[str, Any]
    """Instant, seconds, machine, versions and load."""
    left_out: Mapping[str, str]
    """Peers that were not measured, each with the reason."""
    tables: tuple[Table, ...]

    def write(self, path: Path) -> None:
        """Write them as JSON; whether a goal is reached is told as well, for other readers."""
        told = asdict(self)
        for table, found in zip(told["tables"], self.tables, strict=True):
            for goal, one in zip(table["goals"], found.goals, strict=True):
                goal["reached"] = one.reached
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_results(path: Path) -> Results:
    """Read results that were written as JSON."""
    told = json.loads(path.read_text(encoding="utf-8"))
    return Results(told["about"], told["left_out"], tuple(map(_table, told["tables"])))


def _table(told: dict[str, Any]) -> Table:
    goals = ({k: v for k, v in goal.items() if k != "reached"} for goal in told["goals"])
    figures = tuple(Figure(**figure) for figure in told["figures"])
    return Table(**(told | {"figures": figures, "goals": tuple(Goal(**goal) for goal in goals)}))
