"""What a report says at its end about how it came to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from provenance.readings import Reading


@dataclass(frozen=True)
class InputLine:
    """One input of the report: its content, and what made it."""

    name: str
    sha256: str
    size: int
    media_type: str
    producer: str
    producer_key: str
    batch: str = ""
    """Which batch of a dataset, or version of a model, it is: ``batch 2``."""


@dataclass(frozen=True)
class StageLine:
    """One stage that the report stands on; ``kind`` is ``executed`` or ``reused``."""

    stage: str
    key: str
    kind: str
    readings: tuple[Reading, ...] = ()
    """What it has read from a source."""


@dataclass(frozen=True)
class EnvironmentLine:
    """The environment that the template ran in: its Python, key and packages.

    ``packages`` counts all installed distributions; ``main`` has the versions of those
    that the template itself imports. ``tool`` is what executed a template of another language,
    and says of itself; ``main`` then has packages of that language.
    """

    python: str
    key: str
    packages: int
    main: Mapping[str, str] = field(default_factory=dict)
    tool: str = ""


@dataclass(frozen=True, kw_only=True)
class Colophon:
    """Everything that the page of one run states about the run.

    ``dirty`` is the hash of uncommitted changes, ``None`` when exactly the commit was run.
    ``origins`` tells for each parameter where its value came from: given, case or default.
    ``checks`` are pairs (ok, message); ``metrics`` are (name, value, unit, better), where
    value is ``None`` for a number that was not finite, and better is ``lower``, ``higher``
    or ``None``. ``error`` is the message of the run's own failure, empty without one. ``as_of``
    is the moment whose data was read, ``None`` for what was current.
    """

    project: str
    report: str
    title: str
    commit: str
    branch: str | None
    subject: str
    author: str
    committed_at: datetime | None
    dirty: str | None = None
    params: Mapping[str, object]
    origins: Mapping[str, str]
    inputs: tuple[InputLine, ...]
    stages: tuple[StageLine, ...]
    key: str
    verdict: str
    error: str = ""
    checks: tuple[tuple[bool, str], ...] = ()
    metrics: tuple[tuple[str, float | None, str | None, str | None], ...] = ()
    environment: EnvironmentLine
    trigger: str
    actor: str | None
    started_at: datetime
    seconds: float
    host: str
    containment: str = ""
    provenote_version: str
    reproduce: str
    as_of: datetime | None = None
