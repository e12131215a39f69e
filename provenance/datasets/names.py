"""Names of datasets, models, partitions and snapshots; which partitions a pattern means."""

import re
from fnmatch import translate

from provenance.datasets.errors import InvalidNameError
from provenance.nearest import shown

MAIN = "main"
"""The one partition of a model."""
DATA, MODEL = "data", "model"
_DATASET = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}", re.ASCII)
_SEVERAL = re.compile(r"[*?]")
_LONGEST = 200


def check_dataset(name: str) -> str:
    """Return *name* if a dataset, model or snapshot can be called so; raise InvalidNameError."""
    if _DATASET.fullmatch(name):
        return name
    raise InvalidNameError(
        f"{shown(name)} cannot be the name of a dataset, model or snapshot.",
        "Take up to 100 letters, digits, dots, dashes and underscores, beginning with a letter.",
    )


def check_partition(name: str) -> str:
    """Return *name* if a partition can be called so; raise InvalidNameError.

    ``*`` and ``?`` are left to patterns. Parts between slashes are neither empty nor dots,
    so that the name can stand in an address.
    """
    if not name:
        raise InvalidNameError("The partition has no name.", "A date such as 2013-01-31 is common.")
    if len(name) > _LONGEST:
        raise InvalidNameError(
            f"The partition {shown(name)} has a name of {len(name)} characters.",
            f"Take up to {_LONGEST}.",
        )
    if not name.isprintable() or name != name.strip() or is_pattern(name):
        raise InvalidNameError(
            f"{shown(name)} cannot be the name of a partition.",
            "Take characters that can be printed, but neither * nor ?, and no space at the ends.",
        )
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise InvalidNameError(
            f"{shown(name)} cannot be the name of a partition.",
            "Slashes stand between parts that are not empty and not '.' or '..'.",
        )
    return name


def is_pattern(partition: str) -> bool:
    """Say whether *partition* means every partition that fits, such as ``2013-*``."""
    return _SEVERAL.search(partition) is not None


def fits(name: str, pattern: str) -> bool:
    """Say whether *name* fits *pattern*: ``*`` is any text, ``?`` any one character."""
    # What the library makes of it tries each `*` once: a pattern with many takes no longer.
    return re.match(translate(pattern.replace("[", "[[]")), name) is not None


def label(kind: str, dataset: str, partition: str) -> str:
    """Return what people call it: ``sold_items/2013-01-31``, of a model ``model delay``."""
    return f"model {dataset}" if kind == MODEL else f"{dataset}/{partition}"


def pin_name(kind: str, dataset: str, partition: str) -> str:
    """Return the name that pins a run's batch: ``dataset/partition``, or ``model:name``."""
    return f"model:{dataset}" if kind == MODEL else f"{dataset}/{partition}"
