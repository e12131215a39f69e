"""Datasets: frames read from what the run declares, and frames to be published by it.

Inside a run nothing here talks to provenote: what was declared lies in the workplace, and
what is stored is noted among the results, for provenote to publish when the job is done.
"""

import secrets
from datetime import date
from pathlib import Path
from typing import Any

from provenote._context import Context, ContextError, Given, as_text, current, unknown
from provenote._frames import FrameError, is_frame, read_frame, write_frame
from provenote._results import append, say

PRIVATE = ".provenote"
"""Folder below the job's outputs for what is to be published; no output by itself."""


def load_dataframe(dataset: str, partition: str | None, **chosen: str | date | None) -> Any:
    """Return one partition as a DataFrame; see ``provenote.load_dataframe``."""
    context = current()
    wanted = {name: as_text(value) for name, value in chosen.items() if value is not None}
    if context is None:
        from provenote import _command

        path = _command.data_path(dataset, partition, wanted)
    else:
        path = find(context, dataset, partition, wanted).path
    try:
        return read_frame(path)
    except FrameError as error:
        raise ContextError(f"Dataset {dataset}: {error} {error.hint}") from error


def find(context: Context, dataset: str, partition: str | None, chosen: dict[str, str]) -> Given:
    """Return the declared input that is *partition* of *dataset*; raise ContextError if none."""
    declared = [given for given in context.given if given.kind == "data"]
    of_dataset = [given for given in declared if given.dataset == dataset]
    if not of_dataset:
        said = unknown("dataset", dataset, {given.dataset for given in declared}, context.owner)
        raise ContextError(f"{said} {_line_to_add(context, dataset, partition or '…')}")
    if partition is None and len({given.partition for given in of_dataset}) > 1:
        listed = ", ".join(given.partition for given in of_dataset)
        raise ContextError(
            f"{context.owner} reads several partitions of {dataset}: {listed}. "
            f"Say which: load_dataframe({dataset!r}, {of_dataset[0].partition!r})."
        )
    found = [given for given in of_dataset if partition in (None, given.partition)]
    if not found:
        names = {given.partition for given in of_dataset}
        said = unknown(f"partition of {dataset}", str(partition), names, context.owner)
        raise ContextError(f"{said} {_line_to_add(context, dataset, str(partition))}")
    # Two inputs may be one partition in two versions: then what is chosen tells them apart.
    agreeing = [given for given in found if not _disagreement(context, given, chosen)]
    if not agreeing:
        raise ContextError(_disagreement(context, found[0], chosen))
    return agreeing[0]


def _disagreement(context: Context, given: Given, chosen: dict[str, str]) -> str:
    """Return the sentences that say how *chosen* is not what the run resolved; empty if it is."""
    resolved = {"batch": given.batch, "snapshot": given.snapshot, "as_of": context.as_of}
    for name, value in chosen.items():
        if value == resolved[name] or (name == "as_of" and _same_moment(value, context.as_of)):
            continue
        what = f"{given.dataset}/{given.partition}"
        how = f"as of {context.as_of}" if context.as_of else "when it began"
        if given.snapshot:
            how = f"from the snapshot {given.snapshot}"
        where = (
            "Run it with `provenote run --as-of` for another moment"
            if name == "as_of"
            else f'Choose it in provenote.toml: {given.input} = {{ dataset = "{given.dataset}", '
            f'partition = "{context.params_like(given.partition)}", {name} = "{value}" }}'
        )
        return (
            f"{what} with {name}={value!r} is not what this run reads: it has resolved batch "
            f"{given.batch} {how}. {where}; the code can leave {name}= out."
        )
    return ""


def _same_moment(left: str, right: str | None) -> bool:
    from datetime import UTC, datetime, time

    def moment(text: str) -> datetime:
        found = datetime.fromisoformat(text)
        if len(text) <= len("2013-01-31"):  # a date means its end, as everywhere
            found = datetime.combine(found, time.max)
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    try:
        return right is not None and moment(left) == moment(right)
    except ValueError:
        return False


def _line_to_add(context: Context, dataset: str, partition: str) -> str:
    spec = f'{{ dataset = "{dataset}", partition = "{context.params_like(partition)}" }}'
    return f"Add it to the inputs of [{context.kind}s.{context.name}]: {dataset} = {spec}."


def store_dataframe(frame: Any, dataset: str, partition: str) -> None:
    """Keep *frame* as the next batch of *partition*; see ``provenote.store_dataframe``."""
    if not is_frame(frame):
        raise TypeError(
            f"store_dataframe expects a pandas DataFrame, found {type(frame).__name__}."
        )
    for what, name in (("dataset", dataset), ("partition", partition)):
        if not isinstance(name, str) or not name.strip():
            raise TypeError(f"store_dataframe: the {what} must be a name, found {name!r}.")
    context = current()
    if context is None:
        from provenote import _command

        _command.import_frame(frame, dataset, partition)
        return
    path = private_file(context, ".parquet")
    columns = written(frame, path)
    batch = {
        "dataset": dataset,
        "partition": partition,
        "path": str(path),
        "rows": len(frame),
        "columns": columns,
    }
    append(context.results, {"batch": batch})
    say(f"batch for {dataset}/{partition}: {len(frame)} rows, published when this has succeeded")


def written(frame: Any, path: Path) -> list[dict[str, str]]:
    """Write *frame* to *path* and return its columns; raise TypeError where that cannot be."""
    try:
        return write_frame(frame, path)
    except FrameError as error:
        kind = ContextError if isinstance(error.__cause__, ImportError) else TypeError
        raise kind(f"{error} {error.hint}") from error


def private_file(context: Context, suffix: str) -> Path:
    """Return a new path for something that is to be published, and is no output by itself."""
    folder = context.output_dir / PRIVATE
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{secrets.token_hex(8)}{suffix}"
