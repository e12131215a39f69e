"""The kinds of stages, by the key of the manifest that makes a stage one of them."""

from functools import cache

from pipeline.manifest_parts.models import StageSpec
from pipeline.stages.kinds.base import StageKind

KINDS = ("python", "sql", "command", "notebook")


@cache
def _kind(name: str) -> StageKind:
    """Return the kind of this name; what only it stands on is imported with it."""
    match name:
        case "python":
            from pipeline.stages.kinds.python import PythonKind

            return PythonKind()
        case "sql":
            from pipeline.stages.kinds.sql import SqlKind

            return SqlKind()
        case "command":
            from pipeline.stages.kinds.command import CommandKind

            return CommandKind()
        case _:
            from pipeline.stages.kinds.notebook import NotebookKind

            return NotebookKind()


def kinds_named(spec: StageSpec) -> list[StageKind]:
    """Return the kinds that *spec* could be of: one, if it says one thing only."""
    return [_kind(name) for name in KINDS if getattr(spec, name) is not None]


def kind_of_stage(spec: StageSpec) -> StageKind:
    """Return the kind of a stage that the manifest's checks have passed."""
    return kinds_named(spec)[0]
