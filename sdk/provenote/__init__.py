"""What a notebook or a stage needs of provenote: inputs, outputs, metrics, checks, params.

Under provenote the answers come from the run that is under way; on a laptop they come from
the local checkout, so that the same unchanged code runs in both places. Only the standard
library is needed, and everything but this page is imported when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself would cost more than the rest of this page
if TYPE_CHECKING:
    from pathlib import Path
    from typing import SupportsFloat

    from provenote._context import ContextError, Params

    params: Params

__version__ = "0.1.0"
__all__ = ["ContextError", "check", "input", "metric", "output", "params"]


def input(name: str) -> Path | dict[str, Path]:  # noqa: A001 - the word users look for
    """Return the path of the input *name*; a dict of paths when it has several outputs.

    On a laptop this is the newest file ``.provenote/inputs/<report>/<name>.*`` of the
    checkout. Raises ContextError, which names the inputs there are and the nearest one.
    """
    from provenote import _context

    return _context.find_input(name)


def output(name: str) -> Path:
    """Return a path below the run's output folder to write the file *name* to.

    On a laptop this is ``.provenote/outputs/<name>`` of the checkout. Raises ContextError
    when *name* would lead out of that folder.
    """
    from provenote import _context

    return _context.output_path(name)


def metric(
    name: str, value: SupportsFloat, unit: str | None = None, better: str | None = None
) -> None:
    """Record the number *value* under *name*; the last value recorded under a name counts.

    *unit* is shown beside the number ("min", "%"). *better* is "higher" or "lower" and says
    which way is an improvement. NaN and infinities are recorded as missing. Raises TypeError
    when *value* is no number, ValueError for any other *better*.
    """
    from provenote import _results

    _results.record_metric(name, value, unit, better)


def check(ok: object, message: str) -> bool:
    """Record that the statement *message* holds (*ok* is true) or fails; return which.

    A failing check does not stop the notebook: it makes the run's verdict "failed".
    """
    from provenote import _results

    return _results.record_check(ok, message)


def __getattr__(name: str) -> object:
    if name in {"params", "ContextError"}:
        from provenote import _context

        return _context.Params() if name == "params" else _context.ContextError
    raise AttributeError(f"module 'provenote' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), "ContextError", "params"])
