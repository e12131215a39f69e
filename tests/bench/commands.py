"""Commands that are run to their end, in an environment that tells them nothing of ours."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

BIN = Path(sys.executable).parent
PROVENOTE = BIN / "provenote"
_LONGEST = 900.0
# Without the second, a machine that is set so would compile our sources at every start.
_OURS, _DROPPED = "PROVENOTE_", ("PYTHONDONTWRITEBYTECODE",)


def plain_environ(**more: str) -> dict[str, str]:
    """Return the environment of whoever calls the bench without settings of provenote's."""
    passed = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) and name not in _DROPPED
    }
    return passed | more


def environ_of(home: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a command that keeps everything in *home*."""
    given = {f"{_OURS}{name}": value for name, value in settings.items()}
    return plain_environ(**{f"{_OURS}HOME": str(home)}, **given)


def run(
    command: Sequence[Path | str],
    directory: Path,
    environ: Mapping[str, str],
    given: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return what it wrote; leave the bench where it fails.

    *given* is what it reads on its standard input.
    """
    source = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    done = subprocess.run(
        command,
        cwd=directory,
        env=environ,
        capture_output=True,
        check=False,
        text=True,
        timeout=_LONGEST,
        **source,
    )
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done
