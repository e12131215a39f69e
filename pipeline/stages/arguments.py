"""A command's arguments with their placeholders filled in: a value never becomes something else.

Who asks for a run chooses the values of its parameters, and is trusted with no more than that.
An argument may be an option, or a program in some language, so what a text may hold depends on
where it stands.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from provenance.errors import InvalidInputError
from provenance.nearest import shown

_PLACEHOLDER = re.compile(r"\{(inputs|outputs|params)\.(\w+)(?:\.(\w+))?\}")
# What may stand inside an argument without meaning anything to the language it is written in.
_FOREIGN = re.compile(r"[^\w.,:+@=-]")
_ALLOWED = "letters, digits and . , : + @ = _ - may, '-' not at the beginning"
# Options behind which programs expect code, or a command, in whatever language: letters in one
# cluster (``perl -lane``, ``bash -euxc``, ``bash -cx``), and words. Rather too many than too few.
_CODE = re.compile(
    r"-[A-Za-z0-9]*(?:c[A-Za-z0-9]*|[eEprRBS])|-ex|-ok(?:dir)?"
    r"|--?(?:[a-z0-9]+-)*(?i:eval|exec|expr|command|cmd|code|print|program|script|source|import"
    r"|require|shell)[\w-]*"
)
# Shells take a name behind these, which is not the code yet: ``bash -c -o pipefail CODE``.
_NAMING = re.compile(r"[-+][A-Za-z0-9]*[oO]")


class ArgumentError(InvalidInputError):
    """Raised when a value cannot be put into a command's arguments."""

    code = "argument"


@dataclass(frozen=True, slots=True)
class Filling:
    """What stands for a placeholder.

    ``fixed`` is what we or the project's own files say: paths, declared choices. A ``number``
    (or a truth) has a form that means nothing else; a ``text`` is anybody's.
    """

    text: str
    origin: Literal["fixed", "number", "text"] = "fixed"


@dataclass(frozen=True, slots=True)
class Call:
    """The command of a stage, as the manifest says it."""

    stage: str
    command: Sequence[str]


Look = Callable[[str, str, str | None], Filling]
"""Gives what stands for ``{kind.name.part}``."""


def placeholders(command: Sequence[str]) -> Iterator[tuple[str, str, str | None]]:
    """Yield kind, name and part of every placeholder in *command*."""
    for item in command:
        for match in _PLACEHOLDER.finditer(item):
            yield match[1], match[2], match[3]


def fill(call: Call, look: Look) -> tuple[str, ...]:
    """Return the arguments of *call*, with what *look* gives for the placeholders.

    No text makes an option of an argument that is none in the manifest, unless it stands
    behind a literal ``--``. Inside an argument, and behind an option that takes code, a text
    has nothing but harmless letters. Raises ArgumentError.
    """
    done: list[str] = []
    for place in range(len(call.command)):
        done.append(_Item(call, place, _awaiting_code(done)).filled(look))
    return tuple(done)


def _awaiting_code(arguments: Sequence[str]) -> str:
    """Return the option in *arguments* whose code the next one may be, or nothing.

    The code is the first argument behind it that is neither an option nor ``--``.
    """
    option, named = "", False
    for argument in arguments:
        if _CODE.fullmatch(argument):
            option = argument
        elif not named and not argument.startswith(("-", "+")):
            option = ""
        named = _NAMING.fullmatch(argument) is not None
    return option


@dataclass(frozen=True, slots=True)
class _Item:
    call: Call
    place: int
    code: str
    """The option that this may be the code of."""

    @property
    def text(self) -> str:
        return self.call.command[self.place]

    def filled(self, look: Look) -> str:
        fillings: list[tuple[str, Filling]] = []

        def value(match: re.Match[str]) -> str:
            filling = look(match[1], match[2], match[3])
            if filling.origin == "text":
                self._check_inside(match, filling.text)
            fillings.append((match[2], filling))
            return filling.text

        argument = _PLACEHOLDER.sub(value, self.text)
        if argument.startswith("-") and not self.text.startswith("-"):
            self._check_option(fillings)
        return argument

    def _check_inside(self, match: re.Match[str], text: str) -> None:
        """Refuse a text that could mean something to the language that it stands in."""
        alone = match[0] == self.text
        if alone and not self.code:
            return
        foreign = _FOREIGN.search(text)
        if foreign is None and not text.startswith("-"):
            return
        found = f"has {foreign[0]!r}" if foreign else "begins with '-'"
        where = f"behind {self.code!r}" if alone else f"inside the argument {shown(self.text)}"
        choices = f"Declare its choices under [params.{match[2]}]"
        other = f'give it as an argument of its own, "{match[0]}"'
        if alone:
            other = f"where {self.code!r} takes no code, put it last or write its long form"
        raise ArgumentError(
            f"Stage {self.call.stage}: parameter {match[2]} is {shown(text)}, which {found} and "
            f"may not stand {where}, where it could be read as something else: only {_ALLOWED}.",
            f"{choices}, or {other}.",
        )

    def _check_option(self, fillings: Sequence[tuple[str, Filling]]) -> None:
        """Refuse an argument that a value makes an option."""
        # An empty value leads as well: what the manifest puts behind it is no option there.
        name, first = next((pair for pair in fillings if pair[1].text), fillings[0])
        number = first.origin == "number" and _PLACEHOLDER.fullmatch(self.text)
        if first.origin == "fixed" or number or self._ends_options():
            return
        raise ArgumentError(
            f"Stage {self.call.stage}: parameter {name} is {shown(first.text)}, and the argument "
            f"{shown(self.text)} would be read as an option of {self.call.command[0]}: only behind "
            "an argument '--' may it begin with '-'.",
            f'Put "--" right before it in the command, where the program knows that, or declare '
            f"its choices under [params.{name}].",
        )

    def _ends_options(self) -> bool:
        """Tell whether a ``--`` before this is surely meant for the program that gets this.

        With a word of the manifest between the two it may be that of a program which starts
        another: ``nice -- perl {params.t}``.
        """
        for item in reversed(self.call.command[: self.place]):
            if item == "--":
                return True
            if not _PLACEHOLDER.search(item):
                return False
        return False
