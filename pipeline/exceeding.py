"""What is said of a job that used more than it may: what it was, how much, and what to do."""

from pipeline.containment import Exceeded
from pipeline.runner.messages import Failure
from provenance.sizes import told_size

_KINDS = {"memory": "out_of_memory", "disk": "disk", "processes": "processes"}
_HINTS = {
    "memory": "Let it hold less at once: fewer columns, smaller types, one part after the other.",
    "disk": "Let it write less, and remove its temporary files as it goes.",
    "processes": "Start fewer at once, and wait for each: a pool with a fixed number of workers.",
}


def exceeding(exceeded: Exceeded, what: str) -> Failure:
    """Return the failure of *what* ("The stage"), which was ended for what it used."""
    limit = exceeded.limit
    grant = f"Or grant it more in provenote.toml, limits = {{ {limit} = … }}, within what the "
    return Failure(
        _KINDS[limit],
        f"{what} {_used(exceeded)}, and was ended.",
        hint=f"{_HINTS[limit]} {grant}operator allows (PROVENOTE_{limit.upper()}).",
    )


def _used(exceeded: Exceeded) -> str:
    used, allowed = exceeded.used, exceeded.allowed
    if exceeded.limit == "processes":
        return f"had {used:,} processes at once, {allowed:,} are allowed"
    place = "of memory" if exceeded.limit == "memory" else "on the disk"
    return f"took {told_size(used)} {place}, {told_size(allowed)} are allowed"
