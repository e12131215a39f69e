"""``provenote projects``: what this installation serves, and how pushes reach it."""

import subprocess
from pathlib import Path

import pytest

from provenance.ledger.tables import Project
from tests.support.processes import Home
from tests.support.repository import Repository
from tests.support.tides import make_tides

HERE = {"ALLOW_FILE_REPOSITORIES": "1", "BASE_URL": "https://reports.example.org"}


@pytest.fixture
def tides(tmp_path: Path) -> Repository:
    return make_tides(tmp_path / "tides")


def bare_clone(repository: Repository, folder: Path) -> Path:
    bare = folder / f"{repository.path.name}.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", repository.path, bare], check=True)
    return bare


def test_an_added_project_is_listed_and_its_hooks_are_told(home: Home, tides: Repository) -> None:
    added = home.run("projects", "add", "tides", str(tides.path), "--json", **HERE)
    assert added.status == 0, added.err
    told = added.json
    assert told["github_hook"] == "https://reports.example.org/hooks/github/tides"
    assert told["git_hook"] == "https://reports.example.org/hooks/git/tides"
    assert len(told["secret"]) == 64
    listed = home.run("projects", "list", "--json").json
    assert [(row["name"], row["url"]) for row in listed] == [("tides", str(tides.path))]
    assert str(tides.path) in home.run("projects", "list").out
    assert home.run("projects", "hooks", "tides", "--json", **HERE).json == told
    script = home.run("projects", "hooks", "tides", "--script", **HERE).out
    assert script == told["post_receive"]
    compile(script, "post-receive", "exec")


def test_what_names_a_project_does_not_steer_the_terminal(home: Home, tides: Repository) -> None:
    hostile = Path(f"{tides.path}-\x1b[2J\u202ecod")
    hostile.symlink_to(tides.path)
    added = home.run(
        "projects", "add", "tides", str(hostile), "--branch", "ma\x1b]0;x\x07in", **HERE
    )
    assert added.status == 0, added.err
    for done in (added, home.run("projects", "list"), home.run("projects", "hooks", "tides")):
        assert "tides" in done.out
        assert not {"\x1b", "\u202e", "\x07"} & set(done.out)
    assert home.run("projects", "list", "--json").json[0]["url"] == str(hostile)


def test_a_project_known_from_runs_alone_is_served_from_an_address(
    home: Home, tides: Repository, tmp_path: Path
) -> None:
    with home.ledger() as ledger, ledger.writing() as session:
        session.add(Project(id="project_1", name="tides", url=str(tides.path)))
    bare = bare_clone(tides, tmp_path)
    refused = home.run("projects", "add", "tides", f"{bare}-elsewhere", **HERE)
    assert refused.status == 3
    assert home.run("projects", "list", "--json").json[0]["url"] == str(tides.path)
    added = home.run("projects", "add", "tides", str(bare), "--branch", "trunk", **HERE)
    assert added.status == 0, added.err
    listed = home.run("projects", "list", "--json").json
    assert listed == [{"name": "tides", "url": str(bare), "default_branch": "trunk"}]
    again = home.run("projects", "add", "tides", str(tides.path), **HERE)
    assert (again.status, "There is a project 'tides' already" in again.err) == (2, True)


def test_a_rotated_secret_is_a_new_one(home: Home, tides: Repository) -> None:
    first = home.run("projects", "add", "tides", str(tides.path), "--json", **HERE).json
    second = home.run("projects", "hooks", "tides", "--rotate", "--json").json
    assert second["secret"] != first["secret"]
    assert home.run("projects", "hooks", "tides", "--json").json["secret"] == second["secret"]


def test_what_cannot_be_served_is_not_added(home: Home, tides: Repository) -> None:
    path = str(tides.path)
    refusals = [
        (["tides", path], {}, 2, "PROVENOTE_ALLOW_FILE_REPOSITORIES=1"),
        (["tides", f"{path}-elsewhere"], HERE, 3, "cannot be fetched"),
        (["Tides!", path], HERE, 2, "lower-case"),
        (["tides", "ftp://example.org/tides.git"], HERE, 2, "https://"),
        (["tides"], HERE, 2, "Missing argument"),
    ]
    for arguments, settings, status, words in refusals:
        done = home.run("projects", "add", *arguments, "--json", **settings)
        assert (done.status, words in done.err) == (status, True), done.err
        assert done.json["error"]["message"]
    assert home.run("projects", "list", "--json").json == []
    assert list((home.path / "mirrors").glob("*.git")) == []


def test_a_name_is_given_once(home: Home, tides: Repository, tmp_path: Path) -> None:
    bare = bare_clone(tides, tmp_path)
    assert home.run("projects", "add", "tides", str(bare), **HERE).status == 0
    again = home.run("projects", "add", "tides", str(tides.path), "--json", **HERE)
    assert (again.status, again.json["error"]["code"]) == (2, "project_exists")
    unknown = home.run("projects", "hooks", "tidse", "--json")
    assert unknown.status == 2
    assert "Did you mean 'tides'" in unknown.err
    assert len(list((home.path / "mirrors").glob("*.git"))) == 1
