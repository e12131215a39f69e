"""Kernels of other languages: found by the kernelspecs that are installed on this machine."""

import contextlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.templates import Template, TemplateError
from provenance.errors import NotFoundError
from provenance.nearest import did_you_mean, listed, shown

OURS = "python3"
"""The kernel that every environment has; it needs no kernelspec."""
PYTHON = ("python", "ipython")
_SYSTEM = (Path("/usr/local/share/jupyter/kernels"), Path("/usr/share/jupyter/kernels"))
_NAME = re.compile(r"[\w.-]+", re.ASCII)
_MOST_BYTES = 100_000
_PYTHON_PROGRAM = re.compile(r"python(?:3(?:\.\d+)?)?")


class UnknownKernelError(NotFoundError):
    """Raised when a notebook or manifest names a kernel that is not installed, or is broken."""

    code = "unknown_kernel"


@dataclass(frozen=True)
class FoundKernel:
    """A kernelspec: ``argv`` with its placeholders, ``folder`` where it lies."""

    name: str
    language: str
    argv: tuple[str, ...]
    folder: str
    env: dict[str, str] = field(default_factory=dict)
    interrupt_mode: str = "signal"

    def keyed(self, venv: Path) -> dict[str, object]:
        """Return what of it belongs into a key, wherever the environment *venv* lies."""
        argv = [word.replace(str(venv), "{environment}") for word in self.argv]
        return {"name": self.name, "language": self.language, "argv": argv, "env": self.env}

    def command(self, venv: Path) -> list[str]:
        """Return what starts it; a bare ``python`` is that of the environment *venv*."""
        program, *rest = self.argv
        if _PYTHON_PROGRAM.fullmatch(program):
            program = str(venv / "bin" / "python")  # Jupyter would take its own, which is ours
        return [program, *rest]


def kernel_folders(venv: Path) -> tuple[Path, ...]:
    """Return where kernelspecs are looked for: the environment's own first, then the system's."""
    return (venv / "share" / "jupyter" / "kernels", *_SYSTEM)


def kernel_for(
    folders: Sequence[Path], template: Template, wanted: str | None
) -> FoundKernel | None:
    """Return the kernel that executes *template*; None: the environment's own Python kernel.

    It is the one that the manifest *wanted*; else that of the notebook's kernelspec, or of its
    language where that has none. A notebook in Python has the environment's, however the kernel
    was called where it was written. Raises UnknownKernelError with those that there are, and
    TemplateError where the kernel is of another language.
    """
    is_python = template.language in PYTHON
    if (wanted or OURS) == OURS and is_python:
        return None
    name = wanted or template.kernel
    found = _named(folders, name) if name else _of_language(folders, template.language)
    if found is None:
        raise _unknown(folders, template, name)
    if found.language.lower() != template.language and not (
        is_python and found.language.lower() in PYTHON
    ):
        raise TemplateError(
            f"{template.path} is written in {template.language}, and the kernel {found.name} "
            f"executes {found.language}.",
            "Its metadata says the language: kernelspec.language.",
        )
    return found


def _named(folders: Sequence[Path], name: str) -> FoundKernel | None:
    if not _NAME.fullmatch(name):
        return None
    for folder in folders:
        # Names differ by capitals on no machine: Jupyter itself writes them small.
        for place in dict.fromkeys((folder / name, folder / name.lower())):
            if (found := _read(place)) is not None:
                return found
    return None


def _of_language(folders: Sequence[Path], language: str) -> FoundKernel | None:
    for name in _names(folders):
        with contextlib.suppress(UnknownKernelError):  # a broken one is nobody's choice
            found = _named(folders, name)
            if found is not None and found.language.lower() == language:
                return found
    return None


def _names(folders: Sequence[Path]) -> list[str]:
    found = {place.parent.name for folder in folders for place in folder.glob("*/kernel.json")}
    return sorted(found)


def _read(place: Path) -> FoundKernel | None:
    file = place / "kernel.json"
    try:
        with file.open("rb") as handle:
            told: Any = json.loads(handle.read(_MOST_BYTES))
        argv, env = [str(word) for word in told["argv"]], told.get("env") or {}
        language = str(told["language"])
        mode = str(told.get("interrupt_mode") or "signal")
        plain = {str(name): str(text) for name, text in env.items()}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnknownKernelError(f"{file} describes no kernel: {error!r}.") from error
    if not argv or "{connection_file}" not in " ".join(argv):
        raise UnknownKernelError(
            f"{file} describes no kernel: its argv has no {{connection_file}}."
        )
    return FoundKernel(place.name, language, tuple(argv), str(place), plain, mode)


def _unknown(folders: Sequence[Path], template: Template, name: str | None) -> UnknownKernelError:
    names = _names(folders)
    asked = f"the kernel {shown(name)}" if name else f"a kernel of {template.language}"
    there = [OURS, *(one for one in names if one != OURS)]
    near = did_you_mean(name, there) if name else ""
    same = _of_language(folders, template.language)
    hint = near or (f'In the manifest, kernel = "{same.name}" takes that one.' if same else "")
    return UnknownKernelError(
        f"{template.path} asks for {asked}, which is not installed. There are: {listed(there)}.",
        hint or f"Kernels are looked for in {', '.join(map(str, folders))}.",
    )
