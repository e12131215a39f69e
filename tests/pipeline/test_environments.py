"""Environments: built whole or not at all, with the SDK in them and nothing else of ours."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipeline.environments import (
    EnvironmentBuildError,
    Lock,
    environment_for,
    environment_there,
    lock_of,
)
from pipeline.repository.tree import MemoryTree, MissingFileError
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
BARE = Lock("requirements.txt", (("requirements.txt", b"# nothing but a kernel\n"),))


def run_in(python: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-P", "-c", code],
        cwd=ROOT,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_default_environment_has_the_sdk_and_what_templates_need(
    default_environment: Path,
) -> None:
    done = run_in(default_environment, "import provenote, ipykernel, pandas, pyarrow, matplotlib")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["app", "pipeline", "provenance", "papermill", "flask", "celery"])
def test_nothing_of_ours_can_be_imported_in_an_environment(
    default_environment: Path, name: str
) -> None:
    done = run_in(default_environment, f"import {name}")
    assert f"No module named '{name}'" in done.stderr


def test_an_environment_says_what_is_installed_in_it(
    environments: Path, default_environment: Path
) -> None:
    environment = environment_for(environments, lock_of(MemoryTree({}), None))
    assert environment.python == default_environment
    versions = {one.name.lower(): one.version for one in environment.facts.distributions}
    assert {"ipykernel", "pandas", "pyarrow"} <= set(versions)
    done = run_in(environment.python, "import pandas; print(pandas.__version__)")
    assert versions["pandas"] == done.stdout.strip()
    assert (environment.root / "cache").is_dir()


def test_the_same_lock_is_the_same_environment(
    environments: Path, default_environment: Path
) -> None:
    lock = lock_of(MemoryTree({}), None)
    assert lock == lock_of(MemoryTree({"requirements.txt": b"x"}), None)
    before = default_environment.lstat()
    assert environment_for(environments, lock).python.lstat() == before


def test_to_look_whether_an_environment_is_there_builds_none(
    environments: Path, default_environment: Path, tmp_path: Path
) -> None:
    lock = lock_of(MemoryTree({}), None)
    assert environment_there(environments, lock) == environment_for(environments, lock)
    assert environment_there(tmp_path / "nothing", lock) is None
    assert environment_there(tmp_path, lock) is None
    assert list(tmp_path.iterdir()) == []


def test_an_environment_counts_as_used_each_time(
    environments: Path, default_environment: Path
) -> None:
    root = default_environment.parents[1]
    marker = root.with_name(f"{root.name}.used")
    os.utime(marker, (1000, 1000))
    environment_for(environments, lock_of(MemoryTree({}), None))
    assert marker.stat().st_mtime > 1_000_000


def test_locks_with_other_content_or_another_name_have_other_keys() -> None:
    tree = MemoryTree(
        {"a.txt": b"six\n", "b.txt": b"six\n", "deep/a.txt": b"six\n", "c.txt": b"six==1\n"}
    )
    keys = {name: lock_of(tree, name).key for name in tree.content}
    assert keys["a.txt"] == keys["deep/a.txt"]
    assert len(set(keys.values())) == 3


def test_a_lock_of_uv_comes_with_its_project_file() -> None:
    tree = MemoryTree({"deep/uv.lock": b"version = 1\n", "deep/pyproject.toml": b"[project]\n"})
    assert dict(lock_of(tree, "deep/uv.lock").files) == {
        "uv.lock": b"version = 1\n",
        "pyproject.toml": b"[project]\n",
    }
    with pytest.raises(MissingFileError, match=r"requirements\.txt"):
        lock_of(MemoryTree({}), "requirements.txt")


def test_a_build_that_fails_tells_in_the_resolvers_words_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    wanted = b"./missing-1.0-py3-none-any.whl\n"
    lock = Lock("requirements.txt", (("requirements.txt", wanted),))
    for _ in range(2):
        with pytest.raises(EnvironmentBuildError) as caught:
            environment_for(tmp_path / "environments", lock)
        assert "missing-1.0-py3-none-any.whl" in caught.value.message
        assert [path for path in (tmp_path / "environments").iterdir() if path.is_dir()] == []


@pytest.mark.slow
def test_an_interrupted_build_is_built_again_and_by_one_of_those_who_want_it(
    tmp_path: Path,
) -> None:
    home = tmp_path / "environments"
    code = (
        "import sys; from pathlib import Path; from pipeline.environments import *\n"
        f"environment_for(Path(sys.argv[1]), {BARE!r})"
    )
    command = [sys.executable, "-c", code, str(home)]
    build = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    root = home / BARE.key[:24]
    wait_for((root / "bin" / "python").exists, "the environment to be begun")
    os.killpg(build.pid, signal.SIGKILL)
    build.wait()
    assert not (root / "provenote-facts.json").exists()
    (root / "left-behind").write_text("of the interrupted build")
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(environment_for(home, BARE))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len({one.root for one in found}) == 1
    assert len(found) == 3
    assert not (root / "left-behind").exists()
    assert run_in(found[0].python, "import provenote, ipykernel").returncode == 0
    assert "No module named 'pandas'" in run_in(found[0].python, "import pandas").stderr
