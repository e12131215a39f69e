"""From a repository's address to the files of exactly one commit."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.git import GitError, checked_revision, git, is_sha
from pipeline.installation import Installation
from pipeline.tree import MAX_FILE_BYTES, DirectoryTree, MissingFileError, Tree, TreeError
from provenance.errors import InvalidInputError, NotFoundError, UnavailableError

_USERINFO = re.compile(r"(?<=://)[^@/]*@")
UNBORN = "0" * 40
"""Stands for the commit of a repository that has none yet."""
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


class RepositoryUnreachableError(UnavailableError):
    """Raised when a project's repository cannot be fetched from."""

    code = "repository_unreachable"


class RepositoryRefusedError(InvalidInputError):
    """Raised when a project's address is of a kind that is not allowed."""

    code = "repository_refused"


class UnknownRevisionError(NotFoundError):
    """Raised when a repository has no such branch, tag or commit."""

    code = "unknown_revision"


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


@dataclass(frozen=True)
class CommitTree:
    """The files of a commit, read out of the mirror without laying them out."""

    repository: Path
    blobs: dict[str, str]

    @property
    def files(self) -> frozenset[str]:
        """Paths of all tracked files."""
        return frozenset(self.blobs)

    def read(self, path: str) -> bytes:
        """Return the content of the file at *path*."""
        if path not in self.blobs:
            raise MissingFileError(f"{path} is not in the project.")
        name = self.blobs[path]
        if int(git(["cat-file", "-s", name], directory=self.repository)) > MAX_FILE_BYTES:
            raise TreeError(f"{path} is larger than {MAX_FILE_BYTES // 1024**2} MiB.")
        return git(["cat-file", "blob", name], directory=self.repository)


class Mirror:
    """A bare copy of a project's repository, from which commits are checked out."""

    def __init__(self, installation: Installation, project_id: str, url: str) -> None:
        self._seconds = installation.limits.git_seconds
        self._files_allowed = installation.allow_file_repositories
        self._url = url
        self._locks = installation.locks
        self._checkouts = installation.checkouts / project_id
        self.repository = installation.mirrors / f"{project_id}.git"

    def fetch(self, *commits: str) -> None:
        """Bring the mirror up to date with the configured address.

        All branches and tags come, and *commits*, which none of them need lead to.
        """
        protocols = self._allowed_protocols()
        self._locks.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if not (self.repository / "HEAD").exists():
                self.repository.mkdir(parents=True, exist_ok=True)
                git(["init", "--quiet", "--bare", "."], directory=self.repository)
            command = [
                "fetch",
                "--quiet",
                "--prune",
                "--no-auto-maintenance",
                "--no-write-fetch-head",
            ]
            try:
                git(
                    [*command, "--", self._url, *_REFSPECS, *commits],
                    directory=self.repository,
                    seconds=self._seconds,
                    protocols=protocols,
                )
            except GitError as error:
                told = error.message.replace(self._url, without_userinfo(self._url))
                raise RepositoryUnreachableError(
                    f"The repository {without_userinfo(self._url)} cannot be fetched: {told}",
                    "Check it (`provenote projects list`), and that this machine may read it.",
                ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the mirror, waiting no longer for another that fetches than for git itself."""
        try:
            with FileLock(self._locks / f"mirror-{self.repository.stem}", timeout=self._seconds):
                yield
        except Timeout:
            raise RepositoryUnreachableError(
                f"The repository {without_userinfo(self._url)} is being fetched by another, "
                f"for more than {self._seconds:.0f} s already."
            ) from None

    def _allowed_protocols(self) -> str:
        if self._url.startswith(("https://", "ssh://")) or _is_scp_style(self._url):
            return "https:ssh"
        if self._url.startswith(("/", "file:///")):
            if self._files_allowed:
                return "file"
            raise RepositoryRefusedError(
                f"{self._url} is a path on this machine.",
                "Set PROVENOTE_ALLOW_FILE_REPOSITORIES=1 to allow that.",
            )
        raise RepositoryRefusedError(
            f"{self._url} is no address that provenote fetches from.",
            "Use https://…, ssh://… or git@host:path.",
        )

    def has(self, sha: str) -> bool:
        """Tell whether the mirror holds the commit."""
        if not is_sha(sha) or not self.repository.exists():
            return False
        try:
            git(["cat-file", "-e", f"{sha}^{{commit}}"], directory=self.repository)
        except GitError:
            return False
        return True

    def resolve(self, revision: str) -> str:
        """Return the commit that a branch, tag or (shortened) commit name stands for."""
        name = checked_revision(revision)
        for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            command = ["rev-parse", "--quiet", "--verify", "--end-of-options"]
            try:
                found = git([*command, f"{candidate}^{{commit}}"], directory=self.repository)
            except (GitError, FileNotFoundError):
                continue
            return found.decode().strip()
        raise UnknownRevisionError(
            f"The repository has no branch, tag or commit {revision!r}.",
            f"Its branches are: {', '.join(self.branches()) or 'none'}.",
        )

    def branches(self) -> list[str]:
        """Return the names of all branches, at most twenty."""
        if not self.repository.exists():
            return []
        command = ["for-each-ref", "--count=20", "--format=%(refname:short)", "refs/heads"]
        return git(command, directory=self.repository).decode().split()

    def commit(self, sha: str) -> CommitInfo:
        """Return what the commit says of itself."""
        return commit_info(self.repository, sha)

    def tree(self, sha: str) -> Tree:
        """Return the files of a commit, without laying them out."""
        listing = git(["ls-tree", "-r", "-z", "--full-tree", sha], directory=self.repository)
        blobs = {}
        for line in filter(None, listing.split(b"\0")):
            meta, path = line.split(b"\t", 1)
            mode, kind, name = meta.decode().split()
            if kind == "blob" and mode != "120000":
                blobs[path.decode(errors="surrogateescape")] = name
        return CommitTree(self.repository, blobs)

    def changed_files(self, before: str, after: str) -> frozenset[str]:
        """Return the paths that differ between two commits."""
        command = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after, "--"]
        names = git(command, directory=self.repository).split(b"\0")
        return frozenset(name.decode(errors="surrogateescape") for name in names if name)

    def checkout(self, sha: str) -> Checkout:
        """Lay the commit's files out, once, read-only, and return where."""
        target = self._checkouts / sha
        if not target.exists():
            with FileLock(self._locks / f"checkout-{sha}"):
                if not target.exists():
                    _lay_out(self.repository, sha, target)
        tracked = frozenset(_tracked_in_commit(self.repository, sha))
        return Checkout(target, DirectoryTree(target, tracked), self.commit(sha))


def without_userinfo(url: str) -> str:
    """Return *url* without the name and password that it may hold."""
    return _USERINFO.sub("", url)


def _is_scp_style(url: str) -> bool:
    """Tell whether *url* has git's short form for ssh, ``user@host:path``."""
    user_host, colon, path = url.partition(":")
    return bool(colon and path) and "/" not in user_host and "@" in user_host and url[0] != "-"


def _lay_out(repository: Path, sha: str, target: Path) -> None:
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
        files.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _tracked_in_commit(repository: Path, sha: str) -> list[str]:
    listing = git(["ls-tree", "-r", "-z", "--name-only", "--full-tree", sha], directory=repository)
    return [name.decode(errors="surrogateescape") for name in listing.split(b"\0") if name]


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
