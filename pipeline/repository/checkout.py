"""The files of exactly one commit, laid out in a directory of this machine."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from pipeline.repository.git import git
from pipeline.repository.tree import DirectoryTree

_REMEMBERED = 16
"""Of how many commits a process remembers what they say; a commit never changes."""


@dataclass(frozen=True)
class CommitInfo:
    """What a commit says of itself."""

    sha: str
    subject: str
    author: str
    committed_at: datetime
    parent: str | None


@dataclass(frozen=True)
class Checkout:
    """The files of one commit, or of a working tree, in a directory of this machine.

    ``dirty`` is the hash of the uncommitted changes of a working tree, else None.
    """

    root: Path
    tree: DirectoryTree
    commit: CommitInfo
    dirty: str | None = None


def lay_out(repository: Path, sha: str, target: Path) -> None:
    """Write the files to a temporary directory, make them read-only, and rename it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=target.parent))
    try:
        index = {"GIT_INDEX_FILE": str(temporary / ".index")}
        git(["read-tree", sha], directory=repository, extra_environment=index)
        files = temporary / "files"
        files.mkdir()
        places = {"GIT_DIR": str(repository), "GIT_WORK_TREE": str(files)}
        command = ["checkout-index", "--all", "--quiet"]
        git(command, directory=files, extra_environment=index | places)
        for folder, _, names in os.walk(files, topdown=False):
            for name in names:
                path = Path(folder, name)
                if not path.is_symlink():
                    path.chmod(0o555 if path.stat().st_mode & 0o100 else 0o444)
            if Path(folder) != files:
                Path(folder).chmod(0o555)
        files.rename(target)
        target.chmod(0o555)  # only now: to rename it, it had to be writable
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@lru_cache(maxsize=_REMEMBERED)
def tracked_in_commit(repository: Path, sha: str) -> frozenset[str]:
    """Return the paths of all files of the commit."""
    listing = git(["ls-tree", "-r", "-z", "--name-only", "--full-tree", sha], directory=repository)
    names = (name.decode(errors="surrogateescape") for name in listing.split(b"\0"))
    return frozenset(filter(None, names))


@lru_cache(maxsize=_REMEMBERED)
def commit_info(repository: Path, sha: str) -> CommitInfo:
    """Return what the commit *sha* of the repository says of itself."""
    command = [
        "log",
        "-1",
        "--no-show-signature",
        "--format=%H%x00%s%x00%an%x00%ct%x00%P",
        sha,
        "--",
    ]
    fields = git(command, directory=repository).decode(errors="replace").strip("\n").split("\0")
    name, subject, author, committed, parents = fields
    parent = parents.split()[0] if parents else None
    return CommitInfo(name, subject, author, _instant(committed), parent)


def _instant(seconds: str) -> datetime:
    """Return the instant of a commit; where its clock was beyond reason, the beginning of time."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
