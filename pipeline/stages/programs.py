"""What programs a command stands on: its own, and those that its scripts start in turn."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.definition import python_environment
from pipeline.workplace import program_path
from provenance.errors import ProvenoteError
from provenance.identity.asking import NoAnswerError
from provenance.identity.closure import Closure
from provenance.identity.environment import keyed_environment
from provenance.identity.interpreters import language_of, shebang
from provenance.identity.python_outside import outside_facts
from provenance.identity.tools import r_packages, tool_facts

if TYPE_CHECKING:
    from pipeline.situation import Situation


def command_environment(
    situation: "Situation", program: str, closure: Closure
) -> dict[str, object]:
    """Return the part of the environment that the command *program* and its scripts can see.

    That is the program, each interpreter that scripts start (``starts NAME``), and of R and
    Python the packages that they can reach. A program of the project's own counts by its
    interpreter; its bytes are in the closure. Raises UnknownProgramError for *program*.
    """
    tree = situation.checkout.tree
    if program.removeprefix("./") in tree.files:
        program = shebang(tree.read(program.removeprefix("./"))) or "sh"
    programs = _Programs(situation, closure)
    told: dict[str, object] = {}
    # An environment's own Python is told by the environment, which is the same on every machine.
    if not programs.is_python_inside(program):
        told |= programs.first(program)
    others = sorted(closure.programs - {program})
    for name in others:
        if not programs.is_python_inside(name):
            told[f"starts {name}"] = programs.other(name)
    if programs.needs_python(program):
        told |= python_environment(situation.environment, closure)
    return told if "platform" in told else {**told, "platform": programs.platform}


@dataclass(frozen=True)
class _Programs:
    situation: "Situation"
    closure: Closure

    @cached_property
    def path(self) -> str:
        return program_path(self.situation.environment.root)

    @property
    def platform(self) -> str:
        return self.situation.environment.facts.platform

    @property
    def users(self) -> tuple[Path, ...]:
        """The folders of users' code, which is executed in stages and nowhere else.

        That of this project, which may be a working tree, and those of all others.
        """
        return self.situation.checkout.root, self.situation.checkouts

    def is_python_inside(self, program: str) -> bool:
        """Tell whether *program* is the Python of the project's environment."""
        found = shutil.which(program, path=self.path)
        inside = self.situation.environment.root / "bin"
        return language_of(program) == "python" and Path(found or "").parent == inside

    def needs_python(self, program: str) -> bool:
        """Tell whether anything is executed by the Python of the project's environment.

        A Python script that no interpreter is named for counts: what starts it may be `env`.
        """
        scripts = any(file.path.endswith(".py") for file in self.closure.files)
        return scripts or any(map(self.is_python_inside, {program, *self.closure.programs}))

    def first(self, program: str) -> dict[str, object]:
        """Return what of the command's own program is keyed."""
        told: dict[str, object] = {"tool": tool_facts(program, self.path, self.users).keyed()}
        if language_of(program) == "r":
            told["packages"] = self._r(program)
        elif language_of(program) == "python":
            told["outside"] = self._python(program)
        return told

    def other(self, program: str) -> Mapping[str, object] | None:
        """Return what of a program that a script starts is keyed; None where there is none.

        What a script names it need not need: so what is not installed here is no error. What
        is, and does not answer in time, is: a key would else tell how busy the machine was.
        """
        try:
            return self._other(program)
        except NoAnswerError:
            raise
        except ProvenoteError:
            return None

    def _other(self, program: str) -> Mapping[str, object]:
        told = tool_facts(program, self.path, self.users).keyed()
        if language_of(program) == "r":
            told["packages"] = self._r(program)
        elif language_of(program) == "python":
            told["packages"] = self._python(program)
        return told

    def _r(self, program: str) -> dict[str, str]:
        imports = self.closure.imports
        wanted = [name.removeprefix("r:") for name in imports if name.startswith("r:")]
        everything = bool(self.closure.open_sites)
        return r_packages(program, self.path, wanted, everything=everything, users=self.users)

    def _python(self, program: str) -> object:
        """Return what a Python outside of the project's environment has installed of use."""
        facts = outside_facts(program, self.path, self.users)
        if facts is None:
            return None
        everything = bool(self.closure.open_sites)
        return keyed_environment(facts, self.closure.imports, everything=everything)
