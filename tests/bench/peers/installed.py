"""Environments of peers, each of its own, below the user's cache; made once by uv."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_UV = Path(sys.executable).with_name("uv")
_WHOLE = ".whole"
"""The file that is written last: an environment without it was interrupted."""


class NotInstallableError(Exception):
    """Raised where a peer cannot be installed here, without a network for instance."""


def installed(root: Path, pinned: Sequence[str]) -> Path:
    """Return the folder of programs of the environment *root*, which holds what is *pinned*."""
    if not (root / _WHOLE).exists():
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(root))
        python = ("--python", str(root / "bin" / "python"))
        _uv("pip", "install", "--quiet", "--compile-bytecode", *python, *pinned)
        (root / _WHOLE).touch()
    return root / "bin"


def _uv(*arguments: str) -> None:
    done = subprocess.run([_UV, *arguments], capture_output=True, check=False, text=True)
    if done.returncode != 0:
        words = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise NotInstallableError(f"it cannot be installed here: {words}")
