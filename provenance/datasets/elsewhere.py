"""Looking into tables in a process of its own.

For the web server, which carries no table library and reads no stranger's Parquet itself. The
process is this module as a program: ``python -m provenance.datasets.elsewhere prepare …``.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from provenance.datasets.frames import Described, FrameError, convert
from provenance.datasets.prepare import Prepared, prepare
from provenance.errors import UnavailableError

_SECONDS = 300.0
MOST_MEMORY = 8 * 1024**3
LARGEST = 4 * 1024**3
"""Bytes of the largest file that is made: a table of a megabyte can unfold to any size."""


def prepare_elsewhere(source: Path, folder: Path, *, keep: bool = False) -> Prepared:
    """Do what `prepare` does; raise FrameError, or UnavailableError after five minutes."""
    told = _ask("prepare", source, folder, "keep" if keep else "")
    described = Described(told["media_type"], told["rows"], told["columns"])
    return Prepared(Path(told["path"]), told["filename"], described)


def convert_elsewhere(source: Path, media_type: str, wanted: str, target: Path) -> None:
    """Do what `convert` does; raise FrameError, or UnavailableError after five minutes."""
    _ask("convert", source, media_type, wanted, target)


def _ask(*words: object) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", __name__, *map(str, words)]
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False
        )
        told: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise UnavailableError(
            "The process that looks into the table ended early.",
            "Is the file broken, or very large? `provenote data` does the same and tells more.",
        ) from None
    if "message" in told:
        raise FrameError(told["message"], told["hint"])
    return told


def main() -> None:
    """Do what the arguments say and print what came of it as JSON."""
    _lower(resource.RLIMIT_AS, MOST_MEMORY)
    _lower(resource.RLIMIT_FSIZE, LARGEST)
    works: dict[str, Callable[..., dict[str, Any]]] = {"prepare": _prepare, "convert": _convert}
    work = works[sys.argv[1]]
    try:
        told = work(*sys.argv[2:])
    except FrameError as error:
        told = {"message": error.message, "hint": error.hint}
    print(json.dumps(told))


def _lower(limit: int, most: int) -> None:
    """Let this process have no more of what *limit* limits; it may have less already."""
    _, hard = resource.getrlimit(limit)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(limit, (allowed, allowed))


def _prepare(source: str, folder: str, keep: str) -> dict[str, Any]:
    done = prepare(Path(source), Path(folder), keep=bool(keep))
    return asdict(done.described) | {"path": str(done.path), "filename": done.filename}


def _convert(source: str, media_type: str, wanted: str, target: str) -> dict[str, Any]:
    with Path(target).open("wb") as handle:
        convert(Path(source), media_type, wanted, handle)
    return {}


if __name__ == "__main__":
    main()
