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
# Options behind which programs expect code, or a command; also joined, as in ``bash -lc``.
_CODE = re.compile(r"-[A-Za-z]{0,2}[ceE]|-exec|--(?:eval|exec|execute|command)")


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
    return tuple(_Item(call, place).filled(look) for place in range(len(call.command)))


@dataclass(frozen=True, slots=True)
class _Item:
    call: Call
    place: int

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
        before = self.call.command[self.place - 1] if self.place else ""
        alone = match[0] == self.text
        if alone and not _CODE.fullmatch(before):
            return
        foreign = _FOREIGN.search(text)
        if foreign is None and not text.startswith("-"):
            return
        found = f"has {foreign[0]!r}" if foreign else "begins with '-'"
        where = f"behind {before!r}" if alone else f"inside the argument {shown(self.text)}"
        choices = f"Declare its choices under [params.{match[2]}]"
        separate = f'give it as an argument of its own, "{match[0]}"'
        raise ArgumentError(
            f"Stage {self.call.stage}: parameter {match[2]} is {shown(text)}, which {found} and "
            f"may not stand {where}, where it could be read as something else: only {_ALLOWED}.",
            f"{choices}." if alone else f"{choices}, or {separate}.",
        )

    def _check_option(self, fillings: Sequence[tuple[str, Filling]]) -> None:
        """Refuse an argument that a value makes an option."""
        # An empty value leads as well: what the manifest puts behind it is no option there.
        name, first = next((pair for pair in fillings if pair[1].text), fillings[0])
        number = first.origin == "number" and _PLACEHOLDER.fullmatch(self.text)
        if first.origin == "fixed" or number or "--" in self.call.command[: self.place]:
            return
        raise ArgumentError(
            f"Stage {self.call.stage}: parameter {name} is {shown(first.text)}, and the argument "
            f"{shown(self.text)} would be read as an option of {self.call.command[0]}: only behind "
            "an argument '--' may it begin with '-'.",
            f'Put "--" before it in the command, where the program knows that, or declare its '
            f"choices under [params.{name}].",
        )
