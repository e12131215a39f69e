"""Both wheels hold everything that is in the repository, data and dotfiles included."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVER = ("app", "pipeline", "provenance", "report_templates", "examples")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files that git knows of: building leaves files beside its sources."""
    target = tmp_path_factory.mktemp("source")
    for name in known_files("."):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy)
    # What an installation leaves behind must not get into a wheel.
    litter = target / "app" / "__pycache__" / "factory.cpython-311.pyc"
    litter.parent.mkdir()
    litter.write_bytes(b"")
    return target


def known_files(folder: str) -> list[str]:
    """Return the files below *folder* that git tracks, or will once they are added."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", folder]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    names = [name for name in listed.decode().split("\0") if name]
    return [name for name in names if (ROOT / name).is_file()]


def built(project: Path, target: Path) -> set[str]:
    """Build the wheel of *project*, without a network, and return the files in it."""
    uv = Path(sys.executable).with_name("uv")
    options = ("--wheel", "--offline", "--no-build-isolation", "--python", sys.executable)
    command = [str(uv), "build", *options, "--out-dir", str(target), str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_of_the_server_holds_code_and_data(source: Path, tmp_path: Path) -> None:
    expected = {name for folder in SERVER for name in known_files(folder)}
    found = built(source, tmp_path)
    assert found == expected
    assert {
        "examples/flights/.gitignore",
        "examples/history/history.toml",
        "examples/scaffold/provenote.toml",
        "report_templates/sanity_check.ipynb",
        "report_templates/theme/index.html.j2",
        "app/web/templates/base.html",
        "app/web/static/vendor/pico.min.css",
        "pipeline/default_environment.txt",
        "provenance/ledger/migrations/script.py.mako",
    } <= found


def test_the_wheel_of_the_sdk_holds_the_sdk_and_nothing_else(source: Path, tmp_path: Path) -> None:
    expected = {name.removeprefix("sdk/") for name in known_files("sdk/provenote")}
    assert built(source / "sdk", tmp_path) == expected
    assert "provenote/py.typed" in expected
