import json
import subprocess
import sys
import sysconfig
from dataclasses import replace
from email.errors import MessageError
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from provenance.errors import InvalidInputError
from provenance.identity.environment import (
    EnvironmentFacts,
    InterpreterError,
    describe_environment,
    keyed_environment,
)
from provenance.identity.key import Preimage, why
from provenance.identity.probe import metadata_text
from tests.support.waiting import wait_for


class Venv:
    """A virtual environment whose distributions are laid down by hand."""

    def __init__(self, root: Path) -> None:
        subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", "--symlinks", root], check=True
        )
        self.python = root / "bin" / "python"
        (self.site,) = root.glob("lib/python*/site-packages")

    def install(self, name, version, module, requires=(), content="one", where="/here"):
        for old in self.site.glob(f"{name}-*.dist-info"):
            for file in old.iterdir():
                file.unlink()
            old.rmdir()
        info = self.site / f"{name}-{version}.dist-info"
        info.mkdir()
        lines = [f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in requires]
        (info / "METADATA").write_text("Metadata-Version: 2.1\n" + "\n".join(lines) + "\n")
        (info / "RECORD").write_text(
            f"{module}/__init__.py,sha256={content},3\n"
            f"{module}/__pycache__/__init__.cpython-311.pyc,,\n"
            f"{name}-{version}.dist-info/INSTALLER,sha256={where},4\n"
            f"../../../bin/{module},sha256={where},9\n"
        )


@pytest.fixture
def venv(tmp_path):
    made = Venv(tmp_path / "venv")
    made.install(
        "My_Frames",
        "1.0",
        "frames",
        ["Num.Bers>=1; python_version > '3'", "plots; extra == 'plot'", "absent"],
    )
    made.install("num-bers", "2.0", "numbers_", ["deep [fast] (>=1)"])
    made.install("deep", "3.0", "deep")
    made.install("plots", "4.0", "plots", ["my-frames"])
    return made


def keyed(venv, *imports):
    return keyed_environment(describe_environment(venv.python), frozenset(imports))


def names(environment):
    return set(environment["distributions"])


def test_an_interpreter_describes_itself(venv):
    facts = describe_environment(venv.python)
    assert facts.implementation == "CPython"
    assert facts.python == ".".join(map(str, sys.version_info[:3]))
    assert facts.abi == sysconfig.get_config_var("SOABI")
    assert [entry.name for entry in facts.distributions] == [
        "deep", "my-frames", "num-bers", "plots",
    ]  # fmt: skip
    frames = facts.distributions[1]
    assert frames.modules == ("frames",)
    assert frames.requires == ("absent", "num-bers")


def test_only_distributions_reachable_from_the_imports_are_keyed(venv):
    assert names(keyed(venv, "frames", "json", "stages")) == {"my-frames", "num-bers", "deep"}
    assert names(keyed(venv, "deep", "sys")) == {"deep"}
    assert names(keyed(venv)) == set()


def test_upgrading_a_used_package_changes_the_key_and_an_unused_one_does_not(venv):
    before = keyed(venv, "frames")
    venv.install("plots", "4.1", "plots", ["my-frames"])
    assert keyed(venv, "frames") == before
    venv.install("deep", "3.1", "deep")
    old = Preimage("python", "s", {}, {}, {}, (), before)
    reason = why(old, replace(old, environment=keyed(venv, "frames")))
    assert (reason.code, reason.sentence) == ("environment", "environment: deep 3.0 → 3.1")


def test_other_files_under_the_same_version_change_the_key(venv):
    before = keyed(venv, "deep")
    venv.install("deep", "3.0", "deep", content="two")
    assert keyed(venv, "deep") != before


def test_the_place_of_the_installation_does_not_change_the_key(venv):
    before = keyed(venv, "deep")
    venv.install("deep", "3.0", "deep", where="/elsewhere")
    assert keyed(venv, "deep") == before


def test_everything_is_keyed_when_asked(venv):
    facts = describe_environment(venv.python)
    keyed_all = keyed_environment(facts, frozenset(), everything=True)
    assert names(keyed_all) == {"deep", "my-frames", "num-bers", "plots"}


def test_metadata_that_the_interpreter_refuses_to_write_is_taken_as_it_stands(tmp_path):
    # Some Pythons refuse a header of several lines, as old installations have it.
    class Refusing:
        def __str__(self):
            raise MessageError("folded header contains newline")

    class Odd(PathDistribution):
        metadata = Refusing()

    (tmp_path / "PKG-INFO").write_text("Name: odd\nDescription: Odd\n        ===\n")
    assert metadata_text(Odd(tmp_path)) == (tmp_path / "PKG-INFO").read_text()
    assert "Name: odd" in metadata_text(PathDistribution(tmp_path))


def test_pandas_is_found_with_what_it_stands_on():
    facts = describe_environment(Path(sys.executable))
    found = keyed_environment(facts, frozenset(["pandas"]))
    assert {"pandas", "numpy", "python-dateutil", "six"} <= names(found)
    assert not {"flask", "celery", "pytest"} & names(found)


def test_python_variables_and_the_current_directory_do_not_count(venv, tmp_path, monkeypatch):
    before = describe_environment(venv.python)
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert describe_environment(venv.python) == before


def test_an_interpreter_is_asked_in_a_folder_of_its_own_and_leaves_nothing_running(tmp_path):
    said, child = tmp_path / "said", tmp_path / "child"
    python = tmp_path / "python"
    python.write_text(
        f"#!/bin/sh\necho $PWD $HOME > {said}\nsleep 600 & echo $! > {child}\n"
        f'exec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    assert describe_environment(python).distributions
    current, home = said.read_text().split()
    assert current == home != str(Path.cwd())
    assert not Path(home).exists()
    wait_for(lambda: is_gone(int(child.read_text())), "what it started to end")


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_facts_survive_json(venv):
    facts = describe_environment(venv.python)
    assert EnvironmentFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


@pytest.mark.parametrize("data", [{}, {"distributions": 3}, {"distributions": ["pandas"]}])
def test_what_describes_no_environment_is_refused(data):
    with pytest.raises(InvalidInputError, match="describes no environment"):
        EnvironmentFacts.from_json(data)


def test_what_is_no_interpreter_is_an_error_that_says_so(tmp_path):
    with pytest.raises(InterpreterError, match="could not be asked"):
        describe_environment(tmp_path / "python")
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no module named site >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(InterpreterError, match=r"status 3.*no module named site"):
        describe_environment(broken)
