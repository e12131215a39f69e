"""One notebook executed in a forked kernel, in one started afresh, and by papermill alone."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.kernels.cold import KernelPlace, _spec, cold_kernel
from pipeline.kernels.hosts import KernelHosts
from pipeline.kernels.waiting import Pool
from pipeline.kernels.wanted import HostWanted
from pipeline.kernels.warm import warm_kernel
from pipeline.workplace import Workplace

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

WARM, COLD, PAPERMILL = "warm", "cold", "papermill"
MARKER = f"tests-of-kernels-{os.getpid()}"
_DIFFERS = (
    (r"/place-[0-9]+-[a-z]+/", "/place/"),
    (r"ipykernel_[0-9]+/", "ipykernel/"),
    (r"0x[0-9a-f]{6,}", "0x"),
)
"""What is another in each run, and what stands there instead of it."""
_RAISES = {"tags": ["raises-exception"]}
Cell = dict[str, Any]


def cells(*sources: str) -> list[Cell]:
    """Return code cells; one that begins with ``#!`` may raise."""
    return [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "source": source.removeprefix("#!\n"),
            "metadata": dict(_RAISES) if source.startswith("#!\n") else {},
            "execution_count": None,
            "outputs": [],
        }
        for number, source in enumerate(sources)
    ]


@dataclass(frozen=True)
class Executed:
    """What came of a notebook."""

    cells: list[Cell]
    log: str
    """What its kernel printed past its streams."""

    @property
    def told(self) -> list[list[Any]]:
        """What each cell shows, without what differs from one run to the next."""
        return [_normal(cell["outputs"]) for cell in self.cells]

    @property
    def text(self) -> list[str]:
        """What each cell has printed."""
        return ["".join("".join(o.get("text", "")) for o in c["outputs"]) for c in self.cells]

    @property
    def values(self) -> Any:
        """The JSON document that the last cell prints."""
        return json.loads(self.text[-1])


def _normal(outputs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return outputs by their words alone; text of one stream that came in pieces is one."""
    found: list[dict[str, Any]] = []
    for output in outputs:
        told = {k: v for k, v in output.items() if k not in ("metadata", "execution_count")}
        joined = _joined(told)
        if found and "name" in joined and found[-1].get("name") == joined["name"]:
            found[-1]["text"] += joined["text"]
        else:
            found.append(joined)
    text = json.dumps(found, sort_keys=True)
    for pattern, word in _DIFFERS:
        text = re.sub(pattern, word, text)
    return list(json.loads(text))


def _joined(told: Any) -> Any:
    """Return what a notebook's file has as a list of lines as the text that it is."""
    match told:
        case dict():
            return {
                key: value if key == "traceback" else _joined(value) for key, value in told.items()
            }
        case list():
            return "".join(told)
    return told


@dataclass
class Kitchen:
    """Where notebooks are executed for tests: an environment, its host, a folder."""

    venv: Path
    hosts: KernelHosts
    folder: Path
    preload: tuple[str, ...] = ()
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def wanted(self) -> HostWanted:
        return HostWanted(str(self.venv), "as built", preload=self.preload)

    @property
    def door(self) -> Path:
        return self.hosts.door(self.wanted)

    @contextmanager
    def place(self, way: str, search: Sequence[str] = ()) -> Iterator[KernelPlace]:
        """Give a private place for a kernel, empty afterwards."""
        name = f"place-{next(self._numbers)}-{way}"
        found = Workplace(self.folder / name, f"{MARKER}:{name}")
        found.make()
        environment = found.environment(self.venv, {})
        with found.log.open("ab") as log:
            yield KernelPlace(
                self.venv, found.current, environment, tuple(search), found.sockets, log
            )
        found.remove()

    def execute(
        self,
        told: Sequence[Cell],
        way: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        search: Sequence[str] = (),
        pool: Pool | None = None,
    ) -> Executed:
        """Execute cells in the given *way*; one that fails ends it, unless it may."""
        notebook = notebook_of(told)
        if way == PAPERMILL:
            with self.place(way, search) as place:
                return self._executed(_by_papermill(notebook, place, parameters or {}), place)
        with self.kernel(way, search, pool) as (manager, place):
            return self._executed(by_us(notebook, manager, place, parameters), place)

    @contextmanager
    def kernel(
        self, way: str, search: Sequence[str] = (), pool: Pool | None = None
    ) -> Iterator[tuple["AsyncKernelManager", KernelPlace]]:
        """Give the manager of a kernel that begins with the first cell, and its place."""
        with self.place(way, search) as place:
            warm = way == WARM
            kernel = warm_kernel(self.door, pool or Pool(), place) if warm else cold_kernel(place)
            with kernel as manager:
                yield manager, place

    @staticmethod
    def _executed(done: dict[str, Any], place: KernelPlace) -> Executed:
        shown = [cell for cell in done["cells"] if cell["cell_type"] == "code"]
        return Executed(shown, Path(place.log.name).read_text())


def by_us(
    notebook: dict[str, Any],
    manager: "AsyncKernelManager",
    place: KernelPlace,
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Execute a notebook as the runner does; a cell that fails tells of it by itself."""
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from pipeline.kernels.engine import NAME, Watch
    from pipeline.kernels.printing import Printing

    watch = Watch(_nothing, _nothing, Printing(_nothing))
    with contextlib.suppress(PapermillExecutionError):
        papermill.execute_notebook(
            nbformat.from_dict(notebook),
            None,
            parameters=parameters,
            engine_name=NAME,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            manager=manager,
            start=place.start,
            watch=watch,
        )
    assert watch.notebook is not None
    return dict(watch.notebook)


def _by_papermill(
    notebook: dict[str, Any], place: KernelPlace, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Execute a notebook with papermill's command, its own engine, and the same interpreter."""
    root = place.directory.parent
    add_kernelspec(root / "home" / ".local" / "share" / "jupyter", _spec(place).to_dict())
    given, made = root / "given.ipynb", root / "made.ipynb"
    given.write_text(json.dumps(notebook))
    words = [str(given), str(made), "--cwd", str(place.directory), "--no-progress-bar"]
    words += ["--parameters_yaml", yaml.safe_dump(dict(parameters))] if parameters else []
    argv = [sys.executable, "-m", "papermill", *words]
    subprocess.run(argv, env=dict(place.environment), check=False, capture_output=True)
    found: dict[str, Any] = json.loads(made.read_text())
    return found


def add_kernelspec(jupyter: Path, spec: Mapping[str, Any], name: str = "python3") -> None:
    """Put a kernelspec where Jupyter looks for it below its directory *jupyter*."""
    folder = jupyter / "kernels" / name
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec))


def notebook_of(told: Sequence[Cell]) -> dict[str, Any]:
    """Return a notebook of these cells."""
    spec = {"name": "python3", "display_name": "python3", "language": "python"}
    metadata = {"kernelspec": spec, "language_info": {"name": "python"}}
    return {"cells": list(told), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _nothing(*_: Any) -> None:
    """Hear of a cell, and let it go by."""
