"""What a manifest says of the resources that a stage or report may use."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from pipeline.manifest_parts.spec import Spec, wrong
from provenance.sizes import read_size


def _positive(seconds: float | None) -> float | None:
    if seconds is not None and not 0 < seconds < float("inf"):
        raise wrong(f"found {seconds}, expected a number of seconds above 0")
    return seconds


def _size(found: object) -> int:
    try:
        return read_size(found)
    except ValueError as error:
        raise wrong(str(error)) from None


def _count(found: object) -> int:
    if isinstance(found, int) and not isinstance(found, bool) and found > 0:
        return found
    raise wrong(f"found {found!r}, expected a whole number above 0")


Seconds = Annotated[float | None, Field(strict=True), AfterValidator(_positive)]
_Size = Annotated[int, BeforeValidator(_size)]
_Count = Annotated[int, BeforeValidator(_count)]


class LimitsSpec(Spec):
    """``[limits]``, and ``limits = {…}`` of a stage or report, which goes over it.

    ``memory``, ``disk`` and ``output`` are sizes, ``processes`` a number; ``cell_seconds`` is
    the longest time of one cell. What is left out is what the operator grants, and more than
    that is cut to it.
    """

    SIZES: ClassVar = ("memory", "disk", "output")

    memory: _Size | None = None
    processes: _Count | None = None
    disk: _Size | None = None
    output: _Size | None = None
    cell_seconds: Seconds = None
