"""A bare copy of a project's repository, fetched from the configured address."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.installation import Installation
from pipeline.repository.checkout import (
    Checkout,
    CommitInfo,
    commit_info,
    lay_out,
    tracked_in_commit,
)
from pipeline.repository.git import GitError, checked_revision, git, is_sha
from pipeline.repository.refs_at import Refs, refs_at
from pipeline.repository.tree import (
    MAX_FILE_BYTES,
    DirectoryTree,
    MissingFileError,
    Tree,
    TreeError,
)
from provenance.addresses import is_ambiguous, without_userinfo
from provenance.errors import InvalidInputError, NotFoundError, UnavailableError
from provenance.files import mark_used

_HEADS = "refs/heads/"
_REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


_MOST_FOUND = 256
_found: dict[tuple[str, str], tuple[Refs, tuple[str, bool]]] = {}
"""What revisions stood for, and where the refs of their repository stood then."""


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
                # Not "from" it: git's own words may repeat what the address holds.
                raise RepositoryUnreachableError(
                    f"The repository {without_userinfo(self._url)} cannot be fetched: {told}",
                    "Check it (`provenote projects list`), and that this machine may read it.",
                ) from None

    def find_newest(self, revision: str) -> tuple[str, bool]:
        """Fetch, and return what `find` does; without asking git where nothing was pushed since.

        That can be told of a repository on this machine, by files of it that are read at once.
        """
        is_path = self._allowed_protocols() == "file"
        refs = refs_at(self._url) if is_path and self.repository.exists() else None
        key = (str(self.repository), revision)
        known = _found.get(key)
        if known is not None and refs is not None and known[0] == refs:
            return known[1]
        self.fetch()
        found = self.find(revision)
        if refs is not None:  # as it was before: what is pushed meanwhile is fetched the next time
            while len(_found) >= _MOST_FOUND:
                _found.pop(next(iter(_found)), None)
            _found[key] = refs, found
        return found

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the mirror, waiting no longer for another that fetches than for git itself."""
        from filelock import FileLock  # slow to import, and a working tree has no mirror

        try:
            with FileLock(self._locks / f"mirror-{self.repository.stem}", timeout=self._seconds):
                yield
        except TimeoutError:
            raise RepositoryUnreachableError(
                f"The repository {without_userinfo(self._url)} is being fetched by another, "
                f"for more than {self._seconds:.0f} s already."
            ) from None

    def _allowed_protocols(self) -> str:
        if is_ambiguous(self._url):
            raise RepositoryRefusedError(
                f"A name or password in the address of {without_userinfo(self._url)} holds "
                "an @ or a /.",
                "Write them as %40 and %2F.",
            )
        if self._url.startswith(("https://", "ssh://")) or _is_scp_style(self._url):
            return "https:ssh"
        if self._url.startswith(("/", "file:///")):
            if self._files_allowed:
                return "file"
            raise RepositoryRefusedError(
                f"{without_userinfo(self._url)} is a path on this machine.",
                "Set PROVENOTE_ALLOW_FILE_REPOSITORIES=1 to allow that.",
            )
        raise RepositoryRefusedError(
            f"{without_userinfo(self._url)} is no address that provenote fetches from.",
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
        return self.find(revision)[0]

    def find(self, revision: str) -> tuple[str, bool]:
        """Return the commit that *revision* stands for, and whether that is a branch's name."""
        name = checked_revision(revision)
        for candidate in (f"{_HEADS}{name}", f"refs/tags/{name}", name):
            command = ["rev-parse", "--quiet", "--verify", "--end-of-options"]
            try:
                found = git([*command, f"{candidate}^{{commit}}"], directory=self.repository)
            except (GitError, FileNotFoundError):
                continue
            return found.decode().strip(), candidate.startswith(_HEADS) and candidate != name
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
        return _tree(self.repository, sha)

    def changed_files(self, before: str, after: str) -> frozenset[str]:
        """Return the paths that differ between two commits."""
        command = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after, "--"]
        names = git(command, directory=self.repository).split(b"\0")
        return frozenset(name.decode(errors="surrogateescape") for name in names if name)

    def laid_out(self, sha: str) -> Checkout | None:
        """Return the commit's files where they are laid out already; None where they are not."""
        if not (is_sha(sha) and (self._checkouts / sha).exists() and self.repository.exists()):
            return None
        try:
            return self.checkout(sha)
        except GitError:
            return None  # the mirror was made anew, and knows nothing of the commit yet

    def checkout(self, sha: str) -> Checkout:
        """Lay the commit's files out, once, read-only, and return where."""
        target = self._checkouts / sha
        if not target.exists():
            from filelock import FileLock

            with FileLock(self._locks / f"checkout-{sha}"):
                if not target.exists():
                    lay_out(self.repository, sha, target)
        mark_used(target)
        tracked = tracked_in_commit(self.repository, sha)
        return Checkout(target, DirectoryTree(target, tracked), self.commit(sha))


@lru_cache(maxsize=8)
def _tree(repository: Path, sha: str) -> "CommitTree":
    listing = git(["ls-tree", "-r", "-z", "--full-tree", sha], directory=repository)
    blobs = {}
    for line in filter(None, listing.split(b"\0")):
        meta, path = line.split(b"\t", 1)
        mode, kind, name = meta.decode().split()
        if kind == "blob" and mode != "120000":
            blobs[path.decode(errors="surrogateescape")] = name
    return CommitTree(repository, blobs)


def _is_scp_style(url: str) -> bool:
    """Tell whether *url* has git's short form for ssh, ``user@host:path``."""
    user_host, colon, path = url.partition(":")
    return bool(colon and path) and "/" not in user_host and "@" in user_host and url[0] != "-"
