"""The kinds of stages, by the key of the manifest that makes a stage one of them."""

from pipeline.manifest_parts.models import StageSpec
from pipeline.stages.kinds.base import StageKind
from pipeline.stages.kinds.command import CommandKind
from pipeline.stages.kinds.notebook import NotebookKind
from pipeline.stages.kinds.python import PythonKind
from pipeline.stages.kinds.sql import SqlKind

_ALL: tuple[StageKind, ...] = (PythonKind(), SqlKind(), CommandKind(), NotebookKind())
KINDS: dict[str, StageKind] = {kind.name: kind for kind in _ALL}


def kinds_named(spec: StageSpec) -> list[StageKind]:
    """Return the kinds that *spec* could be of: one, if it says one thing only."""
    return [kind for name, kind in KINDS.items() if getattr(spec, name) is not None]


def kind_of_stage(spec: StageSpec) -> StageKind:
    """Return the kind of a stage that the manifest's checks have passed."""
    return kinds_named(spec)[0]
