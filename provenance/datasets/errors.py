"""What can be wrong about a name, a reference or a move of a pointer."""

from provenance.errors import ConflictingError, InvalidInputError, NotFoundError


class InvalidNameError(InvalidInputError):
    """Raised when a dataset, partition, model or snapshot cannot have the name given."""

    code = "invalid_name"


class InstantError(InvalidInputError):
    """Raised when a text is no date or instant."""

    code = "instant"


class UnknownDatasetError(NotFoundError):
    """Raised when a dataset or model is named that does not exist."""

    code = "unknown_dataset"


class UnknownPartitionError(NotFoundError):
    """Raised when a partition is named that its dataset does not have, or none fits a pattern."""

    code = "unknown_partition"


class UnknownBatchError(NotFoundError):
    """Raised when a batch, or the version of a model, does not exist in its partition."""

    code = "unknown_batch"


class UnknownSnapshotError(NotFoundError):
    """Raised when a snapshot does not exist, or holds nothing of the partition asked for."""

    code = "unknown_snapshot"


class UnknownPinError(NotFoundError):
    """Raised when a pin is to be taken away that nobody holds."""

    code = "unknown_pin"


class NothingYetError(NotFoundError):
    """Raised when a partition had no batch yet at the instant asked for, or has none at all."""

    code = "nothing_yet"


class RetiredError(NotFoundError):
    """Raised when a partition was retired: its batches are there, but none is current."""

    code = "retired"


class NothingBeforeError(InvalidInputError):
    """Raised when a partition is to be rolled back and nothing was current before."""

    code = "nothing_before"


class SnapshotExistsError(ConflictingError):
    """Raised when a snapshot is made under a name that another has."""

    code = "snapshot_exists"


class KeyReusedError(ConflictingError):
    """Raised when an idempotency key is sent with other content than the first time.

    Nothing was written: the batch that has the key stays as it is.
    """

    code = "key_reused"


class ConflictError(ConflictingError):
    """Raised when somebody else moved the pointer since the writer looked at it.

    Nothing was moved. The writer's batch is kept, unpublished.
    """

    code = "conflict"
