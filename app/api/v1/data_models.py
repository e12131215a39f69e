"""Datasets, batches and models, as the OpenAPI document describes them."""

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from app.api.v1.models import Json
from provenance.ledger.columns import LARGEST_INTEGER

MOST = LARGEST_INTEGER


class DatasetPath(BaseModel):
    """The path of a dataset."""

    dataset: str


class PartitionPath(DatasetPath):
    """The path of a partition; its name may hold slashes."""

    partition: str


class BatchPath(BaseModel):
    """The path of a batch."""

    batch_id: str


class ModelPath(BaseModel):
    """The path of a model."""

    model: str


class VersionPath(ModelPath):
    """The path of a model's version."""

    version: int


class PartitionsQuery(BaseModel):
    """Which partitions to list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(200, ge=1, le=1000)
    cursor: str | None = Field(None, description="The `next` of the page before.")


class BatchesQuery(BaseModel):
    """Which batches to list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(200, ge=1, le=1000)
    cursor: int | None = Field(None, ge=1, le=MOST, description="The `next` of the page before.")


class CurrentQuery(BaseModel):
    """Which batch of a partition is meant; without anything the current one."""

    model_config = ConfigDict(extra="forbid")

    as_of: str | None = Field(None, description="A date or instant, ISO 8601.")
    snapshot: str | None = None


class ContentQuery(BaseModel):
    """In which form a batch is wanted."""

    model_config = ConfigDict(extra="forbid")

    format: str | None = Field(None, description="`parquet`, `csv` or `json`; else as it is kept.")


class UploadQuery(BaseModel):
    """How a batch that is sent is to be taken."""

    model_config = ConfigDict(extra="forbid")

    filename: str | None = Field(None, max_length=200)
    reason: str = Field("", max_length=2000)
    seen: int | None = Field(None, ge=0, le=MOST, description="Refused if the pointer moved since.")
    keep: bool = Field(False, description="Keep the bytes of CSV; else it becomes Parquet.")
    stage_only: bool = Field(False, description="Write the batch and publish nothing.")


class MoveBody(BaseModel):
    """Why a pointer is moved."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=2000)
    seen: int | None = Field(None, ge=0, le=MOST, description="Refused if the pointer moved since.")


class RollbackBody(MoveBody):
    """Where to roll back to, and why."""

    to: str | None = Field(None, description="A batch by id or number; left out: the one before.")


class PromoteBody(MoveBody):
    """Which version to promote, and why."""

    version: int


class PinBody(BaseModel):
    """Why a batch is held, and until when."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=2000)
    until: str | None = Field(None, description="A date or instant, ISO 8601; else for good.")
    pinned: StrictBool = Field(True, description="False lets go of it.")


class SnapshotBody(BaseModel):
    """How a snapshot is called."""

    model_config = ConfigDict(extra="forbid")

    name: str


class BatchObject(BaseModel):
    """A batch: one immutable version of a partition."""

    id: str
    kind: str
    dataset: str
    partition: str
    number: int
    sha256: str
    size: int
    media_type: str
    filename: str
    rows: int | None
    columns: list[dict[str, str]] | None
    schema_change: str | None
    details: Json
    record: str | None
    run: str | None
    actor: str
    created_at: str
    links: dict[str, str]


class EventObject(BaseModel):
    """One move of a pointer."""

    partition: str
    version: int
    op: str
    from_batch: str | None = Field(alias="from")
    to: str | None
    from_number: int | None
    to_number: int | None
    schema_change: str | None
    actor: str
    reason: str
    run: str | None
    at: str


class PinObject(BaseModel):
    """Somebody who holds on to a batch."""

    holder: str
    target: str
    reason: str
    expires_at: str | None
    created_at: str


class WholeBatch(BatchObject):
    """A batch with what is told of it."""

    current: bool
    published: list[EventObject]
    used_by: list[Json]
    pins: list[PinObject]


class BatchList(BaseModel):
    """The batches of a partition and the moves of its pointer, newest first."""

    version: int
    items: list[BatchObject]
    events: list[EventObject]
    next: int | None


class PartitionObject(BaseModel):
    """A partition and what is current in it."""

    name: str
    version: int
    batch: BatchObject | None
    batches: int
    op: str | None
    actor: str | None
    reason: str | None
    at: str | None
    links: dict[str, str]


class SnapshotObject(BaseModel):
    """The batches that were current at one moment, under a name."""

    name: str
    batches: int
    actor: str
    created_at: str


class DatasetObject(BaseModel):
    """A dataset."""

    name: str
    description: str
    partitions: int
    batches: int
    size: int
    moved_at: str | None
    links: dict[str, str]


class WholeDataset(DatasetObject):
    """A dataset with some of its partitions, the last by name first, and its snapshots."""

    items: list[PartitionObject]
    next: str | None
    snapshots: list[SnapshotObject]


class DatasetList(BaseModel):
    """All datasets, by name."""

    items: list[DatasetObject]


class ModelObject(BaseModel):
    """A model."""

    name: str
    description: str
    latest: int | None = Field(description="The version that is promoted.")
    versions: int
    size: int
    moved_at: str | None
    links: dict[str, str]


class ModelList(BaseModel):
    """All models, by name."""

    items: list[ModelObject]


class VersionObject(BaseModel):
    """One version of a model."""

    name: str
    version: int
    batch: str
    promoted: bool
    metadata: Json
    metrics: dict[str, float | None]
    format: str
    sha256: str
    size: int
    media_type: str
    filename: str
    record: str | None
    run: str | None
    actor: str
    created_at: str
    links: dict[str, str]


class WholeModel(ModelObject):
    """A model with its versions and how it was promoted, newest first."""

    items: list[VersionObject]
    events: list[EventObject]
