"""From the code that a job stands on to what its key and its record say of it."""

import os
from typing import TYPE_CHECKING, Any

from provenance.identity.closure import Closure
from provenance.identity.environment import keyed_environment

if TYPE_CHECKING:
    from pipeline.environments import Environment

_SDK_FORMAT = 1
"""To be raised when the SDK writes the same result in other bytes, or reads it differently."""


def closure_code(
    closure: Closure, start: dict[str, object]
) -> tuple[dict[str, object], dict[str, Any]]:
    """Return what of the closure goes into the key, and what the record tells of it."""
    keyed = {**start, "files": {_readable(file.path): file.semantic for file in closure.files}}
    told = {
        **start,
        "closure": "open" if closure.open_sites else "closed",
        "files": [{**vars(file), "path": _readable(file.path)} for file in closure.files],
        "open_sites": [vars(site) for site in closure.open_sites],
        "imports": sorted(closure.imports),
    }
    return keyed, told


def _readable(path: str) -> str:
    """Return a path as text that can be written; bytes that are no UTF-8 as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def python_environment(
    environment: "Environment", closure: Closure, *more: str
) -> dict[str, object]:
    """Return the part of the environment that Python code with this closure can see.

    Frames are written by pyarrow, which code that uses pandas need not name.
    """
    imports = closure.imports | ({"pyarrow"} if "pandas" in closure.imports else set())
    everything = bool(closure.open_sites)
    wanted = frozenset(imports | set(more))
    keyed = keyed_environment(environment.facts, wanted, everything=everything)
    return {**keyed, "sdk": _SDK_FORMAT}
