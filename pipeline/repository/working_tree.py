"""The working tree that somebody is at work in, committed or not."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from pipeline.repository.checkout import (
    Checkout,
    CommitInfo,
    commit_info,
)
from pipeline.repository.git import GitError, git
from pipeline.repository.tree import (
    DirectoryTree,
)
from provenance.errors import NotFoundError

UNBORN = "0" * 40
"""Stands for the commit of a repository that has none yet."""
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def working_tree(directory: Path) -> Checkout:
    """Return the working tree that *directory* lies in, with what is not committed in it.

    Tracked files and new ones that git does not ignore belong to it. ``dirty`` hashes the
    patch against HEAD and every new file.
    """
    try:
        top = git(["rev-parse", "--show-toplevel"], directory=directory).decode().strip()
    except GitError:
        raise NotFoundError(
            f"{directory} is in no git repository.",
            "Run `git init` there, or go to your project.",
        ) from None
    root = Path(top)
    names = git(["ls-files", "-z", "--cached", "--others", "--exclude-standard"], directory=root)
    tracked = frozenset(
        path
        for path in (name.decode(errors="surrogateescape") for name in names.split(b"\0") if name)
        if (root / path).is_file()
    )
    commit = _head(root)
    base = commit.sha if commit.sha != UNBORN else _EMPTY_TREE
    return Checkout(root, DirectoryTree(root, tracked), commit, _dirt(root, base))


def _head(root: Path) -> CommitInfo:
    """Return the commit that is checked out; in a new repository one that stands for none."""
    try:
        head = git(["rev-parse", "--verify", "HEAD"], directory=root).decode().strip()
    except GitError:
        return CommitInfo(UNBORN, "nothing is committed yet", "", datetime.now(UTC), None)
    return commit_info(root, head)


def _dirt(root: Path, base: str) -> str | None:
    """Return the hash of what differs from *base*, or None where nothing does."""
    patch = git(["diff", "--binary", "--no-ext-diff", "--no-textconv", base, "--"], directory=root)
    new = git(["ls-files", "-z", "--others", "--exclude-standard"], directory=root)
    if not patch and not new:
        return None
    hasher = hashlib.sha256(patch)
    for name in sorted(filter(None, new.split(b"\0"))):
        path = root / name.decode(errors="surrogateescape")
        hasher.update(b"\0" + name + b"\0")
        if path.is_file():
            hasher.update(hashlib.sha256(path.read_bytes()).digest())
    return hasher.hexdigest()


def local_branch(root: Path) -> str | None:
    """Return the branch that the working tree is on; None for a detached HEAD."""
    try:
        return git(["symbolic-ref", "--short", "--quiet", "HEAD"], directory=root).decode().strip()
    except GitError:
        return None
