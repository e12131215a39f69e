"""Where the branches and tags of a repository on this machine stand: whether anything was pushed.

To ask git takes longer than to accept a run. What is read here is what git itself would read: the
loose refs, and which file of packed ones there is. A repository that keeps them otherwise is asked.
"""

import os
from pathlib import Path

_MOST_REFS = 2_000
_LONGEST_REF = 4_096

Refs = tuple[tuple[str, bytes | int], ...]


def refs_at(url: str) -> Refs | None:
    """Return what every push to the repository at the path *url* changes; None: cannot tell."""
    folder = _git_folder(Path(url.removeprefix("file://")))
    if folder is None or (folder / "reftable").exists() or (folder / "commondir").exists():
        return None
    try:
        return (*_packed(folder / "packed-refs"), *_loose(folder))
    except (OSError, OverflowError):
        return None  # somebody writes just now


def _git_folder(path: Path) -> Path | None:
    for folder in (path, path / ".git"):
        if (folder / "HEAD").is_file() and (folder / "refs").is_dir():
            return folder
    return None


def _packed(file: Path) -> Refs:
    try:
        told = file.stat()
    except FileNotFoundError:
        return ()
    return ("inode", told.st_ino), ("size", told.st_size), ("time", told.st_mtime_ns)


def _give_up(error: OSError) -> None:
    raise error


def _loose(folder: Path) -> Refs:
    found: list[tuple[str, bytes | int]] = []
    for kind in ("heads", "tags"):
        for place, _, names in os.walk(folder / "refs" / kind, onerror=_give_up):
            for name in names:
                path = Path(place, name)
                if not path.is_file() or path.stat().st_size > _LONGEST_REF:
                    raise OSError(f"{path} is no ref")
                found.append((str(path), path.read_bytes()))
            if len(found) > _MOST_REFS:
                raise OverflowError(_MOST_REFS)
    return tuple(sorted(found))
