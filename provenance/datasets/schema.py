"""What differs between the columns of two batches, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

Columns = Sequence[Mapping[str, Any]]
_TOLD = 12


def schema_change(before: Columns | None, after: Columns | None) -> str | None:
    """Return what changed: ``column price: int64 → double; column note added``.

    None where nothing did, or where one of the two is no table whose columns are known.
    """
    if before is None or after is None:
        return None
    old = {str(column["name"]): str(column["type"]) for column in before}
    new = {str(column["name"]): str(column["type"]) for column in after}
    said = [
        f"column {name}: {old[name]} → {type_}"
        for name, type_ in new.items()
        if name in old and old[name] != type_
    ]
    said += [f"column {name} added" for name in new if name not in old]
    said += [f"column {name} removed" for name in old if name not in new]
    if not said and list(old) != list(new):
        said = ["columns in another order"]
    more = [f"and {len(said) - _TOLD} more"] if len(said) > _TOLD else []
    return "; ".join(said[:_TOLD] + more) or None
