"""Addresses, names and repositories that strangers chose must not make git do their work."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.installation import Installation
from pipeline.repository.git import GitError, InvalidRevisionError, checked_revision, git, is_sha
from pipeline.repository.mirror import (
    Mirror,
    RepositoryRefusedError,
    RepositoryUnreachableError,
    UnknownRevisionError,
)
from pipeline.repository.tree import DirectoryTree, MissingFileError, TreeError, contained
from pipeline.repository.working_tree import working_tree
from tests.support.repository import Repository

MakeInstallation = Callable[..., Installation]
MakeRepository = Callable[..., Repository]

REFUSED_NAMES = [
    "",
    " ",
    "-u",
    "--upload-pack=touch canary",
    "--output=canary",
    "a b",
    "a\nb",
    "a\0b",
    "a\x7fb",
    "a..b",
    "HEAD^",
    "HEAD~1",
    "main:secret.txt",
    "main@{1}",
    "@{-1}",
    "^main",
    "a*",
    "a?",
    "a[b]",
    "a\\b",
    "/main",
    "main/",
    "a//b",
    ".hidden",
    "a/.hidden",
    "main.",
    "main.lock",
    "a.lock/b",
    "x" * 256,
]
ACCEPTED_NAMES = ["main", "feature/x-1", "v1.0", "a" * 40, "über", "a@b", "release_2", "a./b", "1"]


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file that must not come into being."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists()


def mirror_of(installation: Installation, url: str | Path) -> Mirror:
    return Mirror(installation, "project_1", str(url))


@pytest.mark.parametrize("name", REFUSED_NAMES)
def test_a_name_that_git_could_take_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(InvalidRevisionError, match="no name of a branch") as caught:
        checked_revision(name)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("name", ACCEPTED_NAMES)
def test_a_name_that_git_allows_is_accepted(name: str, tmp_path: Path) -> None:
    assert checked_revision(name) == name
    git(["check-ref-format", f"refs/heads/{name}"], directory=tmp_path)


def test_no_name_passes_that_git_itself_refuses(tmp_path: Path) -> None:
    letters = ["a", "/", ".", "-", "@", "{", ".lock", "^", " "]
    names = [f"{a}{b}{c}" for a in letters for b in letters for c in letters]
    for name in names:
        try:
            checked_revision(name)
        except InvalidRevisionError:
            continue
        command = ["git", "check-ref-format", f"refs/heads/{name}"]
        assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0, name


@pytest.mark.parametrize("text", ["a" * 39, "a" * 41, "A" * 40, "g" * 40, "-" + "a" * 39, ""])
def test_only_a_whole_object_name_is_one(text: str) -> None:
    assert not is_sha(text)
    assert is_sha("a" * 40)
    assert is_sha("0" * 64)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% {canary}",
        "fd::17",
        "git://127.0.0.1/x",
        "http://127.0.0.1/x",
        "ftp://127.0.0.1/x",
        "--upload-pack=touch {canary}",
        "-u{canary}",
        "-oProxyCommand=touch {canary}@host:path",
        "relative/path",
        "",
        "HTTPS://127.0.0.1/x",
        "file://host/x",
    ],
)
def test_an_address_of_another_kind_is_refused(
    installation: MakeInstallation, canary: Path, url: str
) -> None:
    mirror = mirror_of(installation(), url.format(canary=canary))
    with pytest.raises(RepositoryRefusedError) as caught:
        mirror.fetch()
    assert caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "ssh://-oProxyCommand=touch%20{canary}/x",
        "ssh://user@-oProxyCommand=touch%20{canary}/x",
        "user@-oProxyCommand=touch canary:x",
        "user@127.0.0.1:-oProxyCommand=touch canary",
        "https://127.0.0.1:1/--upload-pack=touch%20{canary}",
    ],
)
def test_options_hidden_in_an_address_do_nothing(
    installation: MakeInstallation, canary: Path, url: str
) -> None:
    with pytest.raises((RepositoryUnreachableError, RepositoryRefusedError)):
        mirror_of(installation(), url.format(canary=canary)).fetch()


def test_a_path_of_this_machine_is_refused_unless_the_operator_allows_it(
    installation: MakeInstallation, git_project: MakeRepository
) -> None:
    repository = git_project({"a": "1"})
    closed = installation(allow_file_repositories=False)
    for url in (repository.path, f"file://{repository.path}"):
        with pytest.raises(RepositoryRefusedError, match="path on this machine") as caught:
            mirror_of(closed, url).fetch()
        assert "PROVENOTE_ALLOW_FILE_REPOSITORIES=1" in caught.value.hint
        mirror = mirror_of(installation(), url)
        mirror.fetch()
        assert mirror.resolve("main") == repository.head


class Redirecting(BaseHTTPRequestHandler):
    """Sends whoever comes on to the same server's ``/elsewhere``."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(302)
        target = self.path.replace("/first", "/elsewhere")
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}{target}")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    Redirecting.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/first.git"
        with pytest.raises(GitError, match="not allowed"):
            git(["ls-remote", url], directory=tmp_path)
        assert Redirecting.asked == []
        with pytest.raises(GitError, match="ls-remote failed"):
            git(["ls-remote", url], directory=tmp_path, protocols="http")
        server.shutdown()
    assert Redirecting.asked
    assert not any("elsewhere" in path for path in Redirecting.asked)


def test_hooks_in_a_mirror_are_not_run(
    installation: MakeInstallation, git_project: MakeRepository, canary: Path
) -> None:
    repository = git_project({"a": "1"})
    mirror = mirror_of(installation(), repository.path)
    mirror.fetch()
    hooks = mirror.repository / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {canary}\n")
        (hooks / name).chmod(0o755)
    sha = repository.commit({"a": "2"})
    mirror.fetch()
    assert (mirror.checkout(sha).root / "a").read_text() == "2"


def test_programs_named_in_a_configuration_are_not_run(
    installation: MakeInstallation,
    git_project: MakeRepository,
    canary: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    touch = f"touch {canary}; false"
    home = tmp_path / "someone"
    home.mkdir()
    config = f'[core]\n fsmonitor = "{touch}"\n hooksPath = {tmp_path}\n'
    config += f'[diff]\n external = "{touch}"\n[diff "x"]\n textconv = "{touch}"\n'
    (home / ".gitconfig").write_text(config)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_SSH_COMMAND", touch)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", touch)
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor={touch}'")
    repository = git_project({".gitattributes": "* diff=x\n", "a": "1"})
    for name, value in (("core.fsmonitor", touch), ("diff.external", touch)):
        repository.git("config", name, value)
    repository.git("config", "diff.x.textconv", touch)
    repository.write({"a": "2"})
    assert working_tree(repository.path).dirty
    mirror = mirror_of(installation(), repository.path)
    mirror.fetch()
    mirror.checkout(repository.head)


def test_nothing_of_ours_is_in_the_environment_of_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVENOTE_SECRET_KEY", "canary-secret")
    shown = git(["-c", "alias.env=!env", "env"], directory=tmp_path).decode()
    assert "canary-secret" not in shown
    assert "PROVENOTE" not in shown
    assert "GIT_ALLOW_PROTOCOL=https:ssh" in shown
    assert "GIT_TERMINAL_PROMPT=0" in shown


def test_git_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="took longer than"):
        git(["-c", "alias.wait=!sleep 20", "wait"], directory=tmp_path, seconds=0.2)


def test_a_link_that_leaves_the_checkout_is_refused(
    installation: MakeInstallation, git_project: MakeRepository, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("canary-secret")
    repository = git_project({"inside.txt": "fine"})
    (repository.path / "out.txt").symlink_to(secret)
    (repository.path / "up.txt").symlink_to("../../../../../../../../etc/passwd")
    (repository.path / "folder").symlink_to(tmp_path)
    (repository.path / "in.txt").symlink_to("inside.txt")
    sha = repository.commit({})
    mirror = mirror_of(installation(), repository.path)
    mirror.fetch()
    tree = mirror.checkout(sha).tree
    for path in ("out.txt", "up.txt"):
        with pytest.raises(TreeError, match="leads out of the project"):
            tree.read(path)
    for path in ("folder", "folder/secret.txt"):
        with pytest.raises((TreeError, MissingFileError)):
            tree.read(path)
    assert tree.read("in.txt") == b"fine"
    assert mirror.tree(sha).files == {"inside.txt"}
    with pytest.raises(MissingFileError):
        mirror.tree(sha).read("out.txt")


def test_a_submodule_is_left_alone(
    installation: MakeInstallation, git_project: MakeRepository, canary: Path
) -> None:
    repository = git_project({"a": "1"})
    modules = f'[submodule "sub"]\n path = sub\n url = ext::sh -c "touch {canary}"\n'
    repository.write({".gitmodules": modules})
    repository.git("add", "--all")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'d' * 40},sub")
    repository.git("commit", "--quiet", "--message", "Submodule")
    mirror = mirror_of(installation(), repository.path)
    mirror.fetch()
    checkout = mirror.checkout(repository.head)
    assert not any((checkout.root / "sub").glob("*"))
    assert mirror.tree(repository.head).files == {"a", ".gitmodules"}
    with pytest.raises(MissingFileError):
        checkout.tree.read("sub")
    repository.write({".gitmodules": f"{modules} update = !touch {canary}\n"})
    repository.git("commit", "--quiet", "--all", "--message", "Worse")
    with pytest.raises(RepositoryUnreachableError, match="disallowed submodule update"):
        mirror.fetch()


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "..",
        "a/../../secret",
        "/etc/passwd",
        "//etc/passwd",
        "/proc/self/root/etc/passwd",
        "a\\..\\..\\secret",
        "a\0b",
    ],
)
def test_a_path_that_leaves_the_project_is_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "secret").write_text("canary-secret")
    with pytest.raises(TreeError, match="not a path inside the project"):
        contained(root, path)
    with pytest.raises(TreeError):
        DirectoryTree(root, frozenset({path})).read(path)


def test_a_revision_is_never_looked_up_as_an_expression(
    installation: MakeInstallation, git_project: MakeRepository
) -> None:
    repository = git_project({"a": "1"}, {"a": "2"})
    mirror = mirror_of(installation(), repository.path)
    mirror.fetch()
    for name in ("main~1", "main^{tree}", ":/Commit", "--all"):
        with pytest.raises(InvalidRevisionError):
            mirror.resolve(name)
    assert not mirror.has("--all")
    assert not mirror.has("main")
    with pytest.raises(UnknownRevisionError):
        mirror.resolve("refs/heads/main/nothing")


def test_a_broken_object_is_not_taken_over(
    installation: MakeInstallation, git_project: MakeRepository
) -> None:
    repository = git_project({"a": "1"})
    tree = repository.git("rev-parse", "HEAD^{tree}")
    raw = f"tree {tree}\nauthor nobody\ncommitter nobody\n\nbroken\n"
    done = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
        cwd=repository.path,
        input=raw.encode(),
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    repository.git("update-ref", "refs/heads/broken", done.stdout.decode().strip())
    with pytest.raises(RepositoryUnreachableError, match=r"missingEmail|fsck|invalid"):
        mirror_of(installation(), repository.path).fetch()
