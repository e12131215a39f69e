"""What a notebook or a stage needs of provenote: inputs, outputs, data, models, metrics, checks.

Under provenote the answers come from the run that is under way; on a laptop they come from
the local checkout, so that the same unchanged code runs in both places. Only the standard
library is needed, and everything but this page is imported when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself would cost more than the rest of this page
if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path
    from typing import Any, SupportsFloat

    from provenote._context import ContextError, Params

    params: Params

__version__ = "0.1.0"
__all__ = [
    "ContextError",
    "check",
    "input",
    "load_dataframe",
    "load_model",
    "metric",
    "output",
    "params",
    "save_model",
    "store_dataframe",
]


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


def load_dataframe(
    dataset: str,
    partition: str | date | None = None,
    *,
    batch: str | None = None,
    as_of: str | date | None = None,
    snapshot: str | None = None,
) -> Any:
    """Return one partition of *dataset* as a pandas DataFrame.

    In a run it is the batch that the run has resolved for an input of its manifest;
    *partition* may be left out where one of the dataset is declared, and *batch*, *as_of* and
    *snapshot* must agree with it. On a laptop it is the batch that the local provenote has:
    the current one, *batch* (its id), the one that was current at *as_of*, or that of
    *snapshot*. Raises ContextError, which says what to add to the manifest.
    """
    from provenote import _context, _data

    named = None if partition is None else _context.as_text(partition)
    return _data.load_dataframe(dataset, named, batch=batch, as_of=as_of, snapshot=snapshot)


def store_dataframe(df: Any, dataset: str, partition: str | date) -> None:
    """Keep the DataFrame *df* as the next batch of *partition* of *dataset*.

    In a run it is published when the stage or report has succeeded; of two frames for one
    partition the last one counts. Raises TypeError where *df* is no DataFrame, or a column
    of it cannot be kept as Parquet, which it names.
    """
    from provenote import _context, _data

    _data.store_dataframe(df, dataset, _context.as_text(partition))


def save_model(obj: object, name: str, **metadata: object) -> None:
    """Keep *obj* as the next version of the model *name*, with *metadata* and the metrics so far.

    The object is pickled, by joblib where it is scikit-learn's or alike. *metadata* are JSON
    values. In a run it is published when the stage or report has succeeded. Raises TypeError
    where the object or a value of *metadata* cannot be kept.
    """
    from provenote import _models

    _models.save_model(obj, name, metadata)


def load_model(name: str, version: int | None = None) -> Any:
    """Return the object of the model *name*: that of an input ``{ model = "…" }`` of the run.

    *version* must agree with what the run has resolved; on a laptop it chooses one, and left
    out it is the current one. Loading executes what the object's maker wrote.
    """
    from provenote import _models

    return _models.load_model(name, version)


def __getattr__(name: str) -> object:
    if name in {"params", "ContextError"}:
        from provenote import _context

        return _context.Params() if name == "params" else _context.ContextError
    raise AttributeError(f"module 'provenote' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), "ContextError", "params"])
