"""The outputs of a stage: what its function returned, as files in the output folder."""

import mimetypes
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provenote._failure import StageError
from provenote._frames import PARQUET, FrameError, is_frame, write_frame

DEFAULT_NAME = "output"
WHAT_A_STAGE_RETURNS = (
    "A stage returns a DataFrame, bytes, str, a pathlib.Path, or a dict of named ones of these."
)
HINTS = {
    "Series": "Make it a DataFrame: series.to_frame().",
    "ndarray": "Wrap it in a DataFrame, or save it with numpy and return the path.",
    "list": "Name the outputs: return a dict, or a DataFrame made of the rows.",
    "tuple": "Name the outputs: return a dict such as {'train': a, 'test': b}.",
    "generator": "Collect the values in a DataFrame before returning them.",
    "float": "Record a number with provenote.metric() and return the data it belongs to.",
    "int": "Record a number with provenote.metric() and return the data it belongs to.",
}


@dataclass(frozen=True)
class Output:
    """One file that a stage leaves."""

    name: str
    path: str
    media_type: str
    rows: int | None = None
    """Of a table that was written here; None of any other file."""
    columns: list[dict[str, str]] | None = None


def save(returned: Any, folder: Path, stage: str) -> tuple[Output, ...]:
    """Write what the function of *stage* returned into *folder*; raise StageError if it cannot."""
    if returned is None:
        raise _nothing(folder, stage)
    named = returned if isinstance(returned, dict) else {DEFAULT_NAME: returned}
    if not named:
        raise StageError(
            "no_output", f"Stage {stage} returned an empty dict.", WHAT_A_STAGE_RETURNS
        )
    return tuple(_save_all(named, folder, stage))


def _save_all(named: dict[Any, Any], folder: Path, stage: str) -> Iterator[Output]:
    for name, value in named.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise StageError(
                "bad_output",
                f"Stage {stage} returned an output named {name!r}.",
                "Names of outputs are Python identifiers such as 'train_set'.",
            )
        if is_frame(value):
            yield _save_frame(name, value, folder)
        else:
            path = _save(name, value, folder, stage)
            yield Output(name, str(path), media_type(path))


def _save_frame(name: str, frame: Any, folder: Path) -> Output:
    path = folder / f"{name}.parquet"
    try:
        columns = write_frame(frame, path)
    except FrameError as error:
        raise StageError("bad_output", f"Output {name!r}: {error}", error.hint) from error
    return Output(name, str(path), PARQUET, len(frame), columns)


def _save(name: str, value: Any, folder: Path, stage: str) -> Path:
    if isinstance(value, Path):
        return _taken(name, value, folder, stage)
    if isinstance(value, (bytes, bytearray, memoryview)):
        path = folder / f"{name}.bin"
        path.write_bytes(value)
    elif isinstance(value, str):
        path = folder / f"{name}.txt"
        path.write_bytes(value.encode("utf-8"))
    else:
        raise _unusable(name, value, stage)
    return path


def _taken(name: str, path: Path, folder: Path, stage: str) -> Path:
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not there"
        raise StageError(
            "bad_output",
            f"Stage {stage} returned the path {path} as output {name!r}, which is {what}.",
            "Return the path of a file that the stage has written and closed.",
        )
    if path.resolve().is_relative_to(folder.resolve()):
        return path.resolve()
    copy = folder / f"{name}{path.suffix}"
    shutil.copyfile(path, copy)
    return copy


def media_type(path: Path) -> str:
    """Return the media type of the file at *path*, by its suffix."""
    if path.suffix == ".parquet":
        return PARQUET
    # A table of Python's own: the system's files would make the answer depend on the host.
    guessed, _ = mimetypes.MimeTypes().guess_type(path.name)
    return guessed or "application/octet-stream"


def _nothing(folder: Path, stage: str) -> StageError:
    written = sorted(path.name for path in folder.iterdir() if path.is_file())
    hint = WHAT_A_STAGE_RETURNS
    if written:
        hint = f"It wrote {', '.join(written)} into its output folder: return that path."
    return StageError("no_output", f"Stage {stage} returned nothing (None).", hint)


def _unusable(name: str, value: Any, stage: str) -> StageError:
    kind = type(value).__name__
    return StageError(
        "bad_output",
        f"Stage {stage} returned {kind} as output {name!r}.",
        f"{HINTS.get(kind, '')} {WHAT_A_STAGE_RETURNS}".strip(),
    )
