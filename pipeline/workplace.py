"""The private place of one attempt at running users' code."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provenance.files import remove_tree

MARKER = "PROVENOTE_ATTEMPT"
RESULTS = "PROVENOTE_RESULTS"
_INHERITED = ("LANG", "LC_ALL", "TZ")


def program_path(venv: Path) -> str:
    """Return where users' code finds programs: the environment's own first, then the system's."""
    return os.pathsep.join([str(venv / "bin"), "/usr/local/bin", os.defpath])


def base_environment(venv: Path, root: Path) -> dict[str, str]:
    """Return what users' code finds in its environment, with what is private below *root*."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        **kept,
        "PATH": program_path(venv),
        "VIRTUAL_ENV": str(venv),
        "HOME": str(root / "home"),
        "TMPDIR": str(root / "tmp"),
        "IPYTHONDIR": str(root / "home" / ".ipython"),
        "JUPYTER_NO_CONFIG": "1",
        "MPLCONFIGDIR": str(venv / "cache" / "matplotlib"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else each kernel's log begins with a warning
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
    }


def sockets_root() -> Path:
    """Return the one directory in which all sockets of this user's kernels and attempts lie.

    Its path is short, as the name of a socket may have no more than about a hundred bytes: it
    cannot lie in a home that may be anywhere.
    """
    return Path(tempfile.gettempdir()) / f"pn-{os.getuid()}"


def make_sockets_root() -> Path:
    """Make that directory, if it is not there; raises PermissionError where others may enter."""
    root = sockets_root()
    root.mkdir(mode=0o700, exist_ok=True)
    found = root.lstat()
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if not private or found.st_uid != os.getuid():
        raise PermissionError(f"{root} is not private to you; remove it")
    return root


def socket_directory(marker: str) -> Path:
    """Return the directory for sockets of the attempt with this marker."""
    name = hashlib.sha256(marker.encode()).hexdigest()[:12]
    return sockets_root() / name


@dataclass(frozen=True)
class Workplace:
    """The private directory of one attempt: everything users' code may write lies below it."""

    root: Path
    marker: str

    @property
    def current(self) -> Path:
        """Working directory of users' code."""
        return self.root / "cwd"

    @property
    def inputs(self) -> Path:
        """Where the declared inputs are laid: ``inputs/`` as seen from the working directory."""
        return self.current / "inputs"

    @property
    def outputs(self) -> Path:
        """Where users' code leaves its outputs."""
        return self.root / "outputs"

    @property
    def results(self) -> Path:
        """Where the SDK notes metrics and checks, one JSON document a line."""
        return self.root / "results.jsonl"

    @property
    def observed(self) -> Path:
        """Where the SDK notes which files of the checkout were opened."""
        return self.root / "observed.jsonl"

    @property
    def log(self) -> Path:
        """What users' code printed."""
        return self.root / "log.txt"

    @property
    def ours(self) -> Path:
        """Where we write what is made of users' code: beside the place, which it may fill.

        Whatever lies in the place could be a link to something else by now.
        """
        return self.root.with_name(f"{self.root.name}-ours")

    def make(self) -> None:
        """Make the directory and those in it, readable for us alone."""
        self.root.mkdir(parents=True, mode=0o700)
        self.ours.mkdir(mode=0o700)
        for name in ("cwd/inputs", "outputs", "home", "tmp"):
            (self.root / name).mkdir(parents=True)

    @property
    def sockets(self) -> Path:
        """Where the attempt's sockets lie: a short path, since their names are limited."""
        return socket_directory(self.marker)

    def remove(self) -> None:
        """Remove the directory and all in it, and the sockets of its attempt."""
        for folder in (self.root, self.ours, self.sockets):
            remove_tree(folder)

    def environment(self, venv: Path, extra: Mapping[str, str]) -> dict[str, str]:
        """Return the whole environment that users' code gets: an allowlist, nothing of ours.

        Hash randomisation is off, so that the order of a set is no reason for two results
        to differ. No bytecode is written: a checkout is shared, and a working tree is clean
        afterwards if it was so before.
        """
        return {**base_environment(venv, self.root), MARKER: self.marker, **extra}
