"""What environments are made of: what is read of a project's file, and what is refused of it."""

import pytest

from pipeline.environment_locks import PYTHON, EnvironmentBuildError, lock_of
from pipeline.repository.tree import MemoryTree, MissingFileError

PROJECT = b"""[project]
name = "tides"
version = "1"
requires-python = ">=3.11"
dependencies = ["six==1.16.0"]

[dependency-groups]
dev = ["attrs"]
"""


def refused(path: str, **files: bytes) -> EnvironmentBuildError:
    content = {name.replace("__", "/").replace("_dot_", "."): data for name, data in files.items()}
    with pytest.raises(EnvironmentBuildError) as caught:
        lock_of(MemoryTree(content), path)
    return caught.value


def test_a_project_file_that_lists_its_dependencies_is_a_lock() -> None:
    lock = lock_of(MemoryTree({"pyproject.toml": PROJECT}), "pyproject.toml")
    assert lock.files == (("pyproject.toml", PROJECT),)


def test_requirements_come_with_the_files_that_they_include() -> None:
    tree = MemoryTree(
        {
            "env/requirements.txt": b"-r parts/base.txt\n--constraint pins.txt\nsix\n",
            "env/parts/base.txt": b"attrs\n-r more.txt\n",
            "env/parts/more.txt": b"# nothing\n-r base.txt\n",
            "env/pins.txt": b"six==1.16.0\n",
        }
    )
    names = {name for name, _ in lock_of(tree, "env/requirements.txt").files}
    assert names == {"requirements.txt", "parts/base.txt", "parts/more.txt", "pins.txt"}
    before = lock_of(tree, "env/requirements.txt").key
    tree.content["env/pins.txt"] = b"six==1.17.0\n"
    assert lock_of(tree, "env/requirements.txt").key != before


@pytest.mark.parametrize("line", ["-r ../base.txt", "-c /etc/pins.txt", "-r https://e.org/r.txt"])
def test_what_is_not_in_the_folder_is_not_included(line: str) -> None:
    error = refused("requirements.txt", requirements_dot_txt=line.encode())
    assert line.split()[1] in error.message
    assert "uv pip compile" in error.hint


def test_an_included_file_that_is_missing_is_named() -> None:
    with pytest.raises(MissingFileError, match=r"base\.txt"):
        lock_of(MemoryTree({"requirements.txt": b"-r base.txt\n"}), "requirements.txt")


@pytest.mark.parametrize("file", ["requirements.txt", "included.txt"])
def test_a_requirement_that_is_a_path_is_refused(file: str) -> None:
    tree = {"requirements.txt": b"-r included.txt\n", "included.txt": b"six\n"}
    tree[file] += b"  -e ./libs/tides\n"
    with pytest.raises(EnvironmentBuildError, match=rf"{file} installs from a path: -e \./libs"):
        lock_of(MemoryTree(tree), "requirements.txt")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("poetry.lock", "poetry export"),
        ("Pipfile.lock", "pipenv requirements"),
        ("environment.yml", "conda"),
        ("packages.cfg", "NAME==VERSION"),
    ],
)
def test_a_file_of_another_tool_is_refused_with_the_way_out(name: str, advice: str) -> None:
    with pytest.raises(EnvironmentBuildError) as caught:
        lock_of(MemoryTree({name: b""}), name)
    assert name in caught.value.message
    assert "uv.lock" in caught.value.message
    assert advice in caught.value.hint


def test_a_lock_of_uv_without_its_project_file_says_what_to_commit() -> None:
    error = refused("deep/uv.lock", deep__uv_dot_lock=b"version = 1\n")
    assert "deep/pyproject.toml" in error.message
    assert "Commit deep/pyproject.toml beside deep/uv.lock" in error.hint


@pytest.mark.parametrize("name", ["pyproject.toml", "uv.lock"])
def test_a_python_that_does_not_fit_is_refused_before_anything_is_built(name: str) -> None:
    wants = b'requires-python = "<3.9"\n'
    tree = {
        "uv.lock": b"version = 1\n" + wants,
        "pyproject.toml": PROJECT.replace(b'requires-python = ">=3.11"\n', wants),
    }
    with pytest.raises(EnvironmentBuildError) as caught:
        lock_of(MemoryTree(tree), name)
    assert f"{name} says requires-python = '<3.9', and this is Python {PYTHON}." in str(
        caught.value.message
    )
    assert "widen the range" in caught.value.hint


def test_a_range_of_pythons_that_is_none_is_told() -> None:
    project = PROJECT.replace(b">=3.11", b"three")
    assert "'three'" in refused("pyproject.toml", pyproject_dot_toml=project).message


@pytest.mark.parametrize(
    ("project", "hint"),
    [
        (b"[tool.ruff]\n", "Add dependencies"),
        (b'[project]\nname = "x"\n', "Add dependencies"),
        (b'[project]\nname = "x"\ndynamic = ["dependencies"]\n', "executed"),
        (b'[tool.poetry]\nname = "x"\n', "poetry export"),
        (b"project = 7\n", "Add dependencies"),
    ],
)
def test_a_project_file_without_dependencies_says_what_to_add(project: bytes, hint: str) -> None:
    error = refused("pyproject.toml", pyproject_dot_toml=project)
    assert "no list `dependencies`" in error.message
    assert hint in error.hint


@pytest.mark.parametrize("name", ["pyproject.toml", "uv.lock"])
def test_what_is_no_toml_is_told(name: str) -> None:
    with pytest.raises(EnvironmentBuildError, match=rf"{name} is not valid TOML"):
        lock_of(MemoryTree({"pyproject.toml": b"<<<<<<< HEAD", "uv.lock": b"\xff"}), name)


def test_packages_from_folders_are_refused_wherever_they_stand() -> None:
    locked = b"""version = 1
[[package]]
name = "tides"
source = { editable = "." }
[[package]]
name = "gauges"
source = { directory = "libs/gauges" }
"""
    both = {"uv_dot_lock": locked, "pyproject_dot_toml": PROJECT}
    assert refused("uv.lock", **both).message == "uv.lock installs from a path: gauges."
    sources = PROJECT + b'[tool.uv.sources]\ngauges = { path = "libs/gauges" }\n'
    assert "gauges" in refused("pyproject.toml", pyproject_dot_toml=sources).message
    direct = PROJECT.replace(b"six==1.16.0", b"six @ file:///six.whl")
    assert "six.whl" in refused("pyproject.toml", pyproject_dot_toml=direct).message
