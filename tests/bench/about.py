"""Where and when a bench was done."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.peers import by_hand, chains, jupyter_scheduler

_OURS = ("papermill", "nbconvert", "nbclient", "jupyter-client", "sqlalchemy", "celery", "gunicorn")


def about_this_machine() -> dict[str, Any]:
    """Return the machine, the versions, and what was going on before anything is measured."""
    git = subprocess.run(["git", "--version"], capture_output=True, check=False, text=True)
    peers = by_hand.VERSIONS | {jupyter_scheduler.NAME: jupyter_scheduler.VERSION}
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "processor": _field(Path("/proc/cpuinfo"), "model name"),
        "memory": _field(Path("/proc/meminfo"), "MemTotal"),
        "system": _system(),
        "python": platform.python_version(),
        "git": git.stdout.strip().removeprefix("git version "),
        "provenote": _commit(),
        "own": {name: version(name) for name in _OURS},
        "peers": peers | {peer.name: peer.version for peer in chains.PEERS},
        "load_before": os.getloadavg(),
    }


def _system() -> str:
    """Return the system and its release, without what its builder added to that."""
    return f"{platform.system()} {platform.release().partition('-')[0]}"


def _field(path: Path, name: str) -> str:
    lines = path.read_text().splitlines() if path.exists() else []
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(found, "unknown")


def _commit() -> str:
    """Return the version, and the commit if this is a repository."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, check=False, text=True
    )
    commit = f" ({done.stdout.strip()})" if done.returncode == 0 else ""
    return f"{version('provenote')}{commit}"
