"""What is installed, asked again when somebody has changed it, or broken it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import installed
from pipeline.installed import FACTS, describe, installed_after, installed_now
from provenance.identity.environment import Distribution, EnvironmentFacts, InterpreterError

INFO = "lib/python3.11/site-packages/tidewater-1.0.dist-info"


class Interpreter:
    """Stands for the environment's own: counts how often it is asked, and may be broken."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False

    def __call__(self, python: Path) -> EnvironmentFacts:
        if self.broken:
            raise InterpreterError(f"{python} could not be asked")
        self.asked += 1
        found = Distribution("tidewater", f"{self.asked}.0", "0" * 64, ("tidewater",), ())
        return EnvironmentFacts("cpython", "3.11.7", "abi", "linux", (found,))


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch) -> Interpreter:
    found = Interpreter()
    monkeypatch.setattr(installed, "describe_environment", found)
    return found


@pytest.fixture
def root(tmp_path: Path, interpreter: Interpreter) -> Path:
    """A folder in the form of an environment, described once."""
    (tmp_path / INFO).mkdir(parents=True)
    for name in ("RECORD", "METADATA"):
        (tmp_path / INFO / name).write_text("of version 1")
    describe(tmp_path)
    return tmp_path


def test_an_environment_as_it_was_is_not_asked_again(root: Path, interpreter: Interpreter) -> None:
    assert installed_now(root) == installed_after(root)
    assert interpreter.asked == 1


@pytest.mark.parametrize("name", ["", "RECORD", "METADATA"])
def test_one_in_which_a_package_was_replaced_in_place_is(
    root: Path, interpreter: Interpreter, name: str
) -> None:
    os.utime(root / INFO / name, (1000, 1000))
    assert installed_after(root).distributions[0].version == "2.0"
    assert interpreter.asked == 2


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "{}", "\N{SNOWMAN}"])
def test_one_whose_facts_were_overwritten_is_asked_again(root: Path, text: str) -> None:
    (root / FACTS).write_text(text)
    assert installed_now(root).distributions[0].version == "2.0"
    assert installed_now(root).distributions[0].version == "2.0", "and that is kept"


BREAK: dict[str, Callable[[Path], object]] = {
    "facts are gone": lambda root: (root / FACTS).unlink(),
    "nobody answers": lambda root: os.utime(root / INFO, (1000, 1000)),
}


@pytest.mark.parametrize("name", BREAK)
def test_one_that_users_code_broke_is_like_no_other(
    root: Path, interpreter: Interpreter, name: str
) -> None:
    before = installed_now(root)
    interpreter.broken = True
    BREAK[name](root)
    found = installed_after(root)
    assert (found.python, found == before) == ("", False), "no key has it"
