"""What a kind of stage has to say of itself: the one interface behind which kinds differ."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pipeline.containment import Isolation
from pipeline.isolation import isolation_in
from pipeline.limits import Granted, granted
from pipeline.manifest_parts.models import Manifest, Section, StageSpec
from pipeline.manifest_parts.problems import Path, Problems
from pipeline.repository.tree import Tree
from pipeline.runner.messages import Job
from pipeline.step import Definition, Step
from pipeline.workplace import Workplace

if TYPE_CHECKING:
    from pipeline.installation import Installation
    from pipeline.situation import Situation

Known = Mapping[Section, Sequence[str]]


@dataclass(frozen=True)
class Look:
    """A stage of a manifest that is looked over; what is wrong goes into ``problems``."""

    tree: Tree
    manifest: Manifest
    name: str
    known: Known
    """Names by section, those included that are declared but could not be read."""
    problems: Problems

    @property
    def spec(self) -> StageSpec:
        """What the manifest says of the stage."""
        return self.manifest.stages[self.name]

    @property
    def params(self) -> Sequence[str]:
        """The parameters that the stage may take."""
        return self.known["params"] if self.spec.params is None else self.spec.params

    def wrong(self, key: str | Path, message: str, hint: str = "") -> None:
        """Note what is wrong with *key* of the stage; with the stage itself where it is empty."""
        path = key if isinstance(key, tuple) else (key,) if key else ()
        self.problems.add(("stages", self.name, *path), message, hint)


@dataclass(frozen=True)
class Execution:
    """A step that is about to be executed in a workplace."""

    installation: "Installation"
    situation: "Situation"
    step: Step
    place: Workplace

    @property
    def spec(self) -> StageSpec:
        """What the manifest says of the stage."""
        return self.situation.manifest.stage(self.step.name)

    @property
    def isolation(self) -> Isolation | None:
        """How the job's code is set apart from the machine."""
        return isolation_in(self.installation, self.situation, self.place)

    @property
    def granted(self) -> Granted:
        """What the job may use."""
        return granted(self.installation.limits, self.situation.manifest, self.spec)


class StageKind(Protocol):
    """One way to make outputs from inputs: a function, a query, a command, a notebook."""

    @property
    def name(self) -> str:
        """The word for it in manifests, keys and records."""
        ...

    def params(self, tree: Tree, manifest: Manifest, spec: StageSpec) -> tuple[str, ...]:
        """Return the parameters that a stage takes that does not list them itself."""
        ...

    def check(self, look: Look) -> None:
        """Note what is wrong with a stage of this kind, its inputs' stages excepted."""
        ...

    def define(self, situation: "Situation", stage: str) -> Definition:
        """Return what the stage executes."""
        ...

    def job(self, execution: Execution) -> Job:
        """Return the job that the runner is given."""
        ...


_FILE = re.compile(r"[\w.+-]+(?:/[\w.+-]+)*", re.ASCII)


def is_file_name(text: str) -> bool:
    """Tell whether *text* names a file below the output folder, in plain letters."""
    return bool(_FILE.fullmatch(text)) and not {".", ".."}.intersection(text.split("/"))
