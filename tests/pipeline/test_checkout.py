"""Checkouts: the files of exactly one commit, or of a working tree as it stands."""

import os
import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.installation import Installation
from pipeline.repository.mirror import (
    Mirror,
    RepositoryUnreachableError,
    UnknownRevisionError,
)
from pipeline.repository.tree import MissingFileError
from pipeline.repository.working_tree import UNBORN, local_branch, working_tree
from provenance.errors import NotFoundError
from tests.support.repository import Repository

MakeInstallation = Callable[..., Installation]
MakeRepository = Callable[..., Repository]


@pytest.fixture
def repository(git_project: MakeRepository) -> Repository:
    return git_project(
        {"a.txt": "one", "old.txt": "old", "deep/er/ümlaut name.txt": "ü"},
        {"a.txt": "two", "old.txt": None, "new.txt": "new"},
    )


@pytest.fixture
def mirror(installation: MakeInstallation, repository: Repository) -> Mirror:
    made = Mirror(installation(), "project_1", str(repository.path))
    made.fetch()
    return made


def laid_out(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()
    }


def test_a_checkout_holds_exactly_the_files_of_its_commit(
    mirror: Mirror, repository: Repository
) -> None:
    first = mirror.checkout(repository.git("rev-parse", "HEAD~1"))
    second = mirror.checkout(repository.head)
    assert laid_out(first.root) == {
        "a.txt": "one",
        "old.txt": "old",
        "deep/er/ümlaut name.txt": "ü",
    }
    assert laid_out(second.root) == {
        "a.txt": "two",
        "new.txt": "new",
        "deep/er/ümlaut name.txt": "ü",
    }
    assert second.tree.files == set(laid_out(second.root))
    assert second.dirty is None
    assert (second.commit.sha, second.commit.parent) == (repository.head, first.commit.sha)
    assert (second.commit.subject, second.commit.author) == ("Commit 2", "Ada")
    assert second.commit.committed_at.tzinfo is not None
    assert first.commit.parent is None
    with pytest.raises(MissingFileError):
        second.tree.read("old.txt")


def test_files_are_read_only_and_keep_the_bit_that_makes_them_programs(
    mirror: Mirror, repository: Repository
) -> None:
    repository.write({"tool.sh": "#!/bin/sh\n"})
    (repository.path / "tool.sh").chmod(0o755)
    sha = repository.commit({})
    mirror.fetch()
    root = mirror.checkout(sha).root
    assert stat.S_IMODE((root / "tool.sh").stat().st_mode) == 0o555
    assert stat.S_IMODE((root / "a.txt").stat().st_mode) == 0o444


def test_a_tree_read_from_the_mirror_is_that_of_the_checkout(
    mirror: Mirror, repository: Repository
) -> None:
    tree, checkout = mirror.tree(repository.head), mirror.checkout(repository.head)
    assert tree.files == checkout.tree.files
    assert all(tree.read(path) == checkout.tree.read(path) for path in tree.files)
    with pytest.raises(MissingFileError):
        tree.read("old.txt")


def test_many_at_once_get_the_same_whole_checkout(
    installation: MakeInstallation, git_project: MakeRepository
) -> None:
    files = {f"folder/{number}.txt": str(number) * 100 for number in range(200)}
    repository = git_project(files, name="many")
    home = installation()

    def lay_out(_: int) -> dict[str, str]:
        mirror = Mirror(home, "project_1", str(repository.path))
        mirror.fetch()
        return laid_out(mirror.checkout(mirror.resolve("main")).root)

    with ThreadPoolExecutor(8) as pool:
        assert all(found == files for found in pool.map(lay_out, range(8)))
    names = sorted(path.name for path in (home.checkouts / "project_1").iterdir())
    assert names == [repository.head, f"{repository.head}.used"]


def test_a_checkout_counts_as_used_each_time_though_nothing_in_it_changes(
    mirror: Mirror, repository: Repository
) -> None:
    root = mirror.checkout(repository.head).root
    marker = root.with_name(f"{root.name}.used")
    os.utime(marker, (1000, 1000))
    before = root.stat()
    mirror.checkout(repository.head)
    assert marker.stat().st_mtime > 1_000_000
    assert root.stat().st_ctime_ns == before.st_ctime_ns


def test_a_checkout_that_was_interrupted_is_laid_out_again(
    mirror: Mirror, repository: Repository
) -> None:
    root = mirror.checkout(repository.head).root
    shutil.rmtree(root)
    (root.parent / ".tmp-killed" / "files").mkdir(parents=True)
    assert "a.txt" in laid_out(mirror.checkout(repository.head).root)


def test_branches_tags_and_commits_are_found(mirror: Mirror, repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD~1")
    repository.git("tag", "--annotate", "v1", "--message", "first", first)
    repository.git("branch", "same", first)
    repository.git("tag", "same", "main")
    mirror.fetch()
    assert mirror.resolve("main") == repository.head
    assert mirror.resolve("v1") == first
    assert mirror.resolve("same") == first, "a branch comes before a tag"
    assert mirror.resolve(first[:10]) == first
    assert mirror.resolve(first) == first
    assert mirror.has(first)
    assert not mirror.has("f" * 40)
    with pytest.raises(UnknownRevisionError) as caught:
        mirror.resolve("nothing")
    assert "'nothing'" in caught.value.message
    assert "main" in caught.value.hint


def test_a_mirror_follows_branches_that_were_deleted_or_rewritten(
    mirror: Mirror, repository: Repository
) -> None:
    rewritten = repository.head
    repository.git("branch", "short-lived")
    mirror.fetch()
    repository.git("branch", "-D", "short-lived")
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    repository.commit({"a.txt": "three"})
    mirror.fetch()
    assert mirror.resolve("main") == repository.head
    assert mirror.branches() == ["main"]
    assert mirror.checkout(rewritten).tree.read("a.txt") == b"two"


def test_changed_files_are_those_between_two_commits(
    mirror: Mirror, repository: Repository
) -> None:
    first = repository.git("rev-parse", "HEAD~1")
    changed = {"a.txt", "old.txt", "new.txt"}
    assert mirror.changed_files(first, repository.head) == changed
    assert mirror.changed_files(repository.head, repository.head) == set()


def test_before_the_first_fetch_nothing_is_known(
    installation: MakeInstallation, repository: Repository
) -> None:
    mirror = Mirror(installation(), "project_2", str(repository.path))
    assert not mirror.has(repository.head)
    assert mirror.branches() == []
    with pytest.raises(UnknownRevisionError, match="none"):
        mirror.resolve("main")


def test_an_unreachable_repository_is_told_clearly(
    installation: MakeInstallation, tmp_path: Path
) -> None:
    mirror = Mirror(installation(), "project_1", str(tmp_path / "nowhere"))
    with pytest.raises(RepositoryUnreachableError) as caught:
        mirror.fetch()
    assert f"{tmp_path / 'nowhere'} cannot be fetched" in caught.value.message
    assert "does not" in caught.value.message
    assert "provenote projects" in caught.value.hint


def test_credentials_in_an_address_are_not_told(installation: MakeInstallation) -> None:
    url = "https://ada:canary-secret@127.0.0.1:1/weather.git"
    with pytest.raises(RepositoryUnreachableError) as caught:
        Mirror(installation(), "project_1", url).fetch()
    error: BaseException | None = caught.value
    assert "https://127.0.0.1:1/weather.git cannot be fetched" in str(error)
    while error is not None:  # what a log prints below it, too
        assert "canary-secret" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_clean_working_tree_is_its_commit(repository: Repository) -> None:
    checkout = working_tree(repository.path / "deep" / "er")
    assert checkout.root == repository.path
    assert checkout.commit.sha == repository.head
    assert checkout.dirty is None
    assert checkout.tree.files == {"a.txt", "new.txt", "deep/er/ümlaut name.txt"}


def test_uncommitted_changes_have_a_hash_that_tells_them_apart(repository: Repository) -> None:
    seen = {None: "clean"}

    def changed(what: str) -> None:
        dirty = working_tree(repository.path).dirty
        assert dirty not in seen, f"{what} looks like {seen[dirty]}"
        assert working_tree(repository.path).dirty == dirty
        seen[dirty] = what

    repository.write({"a.txt": "three"})
    changed("an edit")
    staged = working_tree(repository.path).dirty
    repository.git("add", "a.txt")
    assert working_tree(repository.path).dirty == staged, "staging changes nothing"
    repository.write({"extra.txt": "x"})
    changed("a new file")
    repository.write({"extra.txt": "y"})
    changed("a new file with other content")
    (repository.path / "extra.txt").rename(repository.path / "other.txt")
    changed("a new file with another name")
    repository.write({"new.txt": None})
    changed("a file removed")
    assert working_tree(repository.path).tree.files == {
        "a.txt",
        "other.txt",
        "deep/er/ümlaut name.txt",
    }
    repository.git("reset", "--quiet", "--hard")
    (repository.path / "other.txt").unlink()
    os.utime(repository.path / "a.txt", (1, 1))
    assert working_tree(repository.path).dirty is None


def test_ignored_files_do_not_belong_to_a_working_tree(repository: Repository) -> None:
    repository.commit({".gitignore": "*.log\n"})
    repository.write({"run.log": "x"})
    checkout = working_tree(repository.path)
    assert checkout.dirty is None
    assert "run.log" not in checkout.tree.files


def test_a_repository_without_a_commit_can_be_worked_in(git_project: MakeRepository) -> None:
    repository = git_project(name="unborn")
    empty = working_tree(repository.path)
    assert (empty.commit.sha, empty.dirty) == (UNBORN, None)
    repository.write({"a.txt": "x"})
    untracked = working_tree(repository.path)
    assert untracked.tree.files == {"a.txt"}
    repository.git("add", "a.txt")
    staged = working_tree(repository.path)
    assert staged.tree.files == {"a.txt"}
    assert untracked.dirty
    assert staged.dirty
    assert local_branch(repository.path) == "main"


def test_a_directory_outside_of_git_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no git repository") as caught:
        working_tree(tmp_path)
    assert "git init" in caught.value.hint


def test_a_detached_head_is_on_no_branch(repository: Repository) -> None:
    assert local_branch(repository.path) == "main"
    repository.git("checkout", "--quiet", "--detach")
    assert local_branch(repository.path) is None
