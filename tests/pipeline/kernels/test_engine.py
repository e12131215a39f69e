"""``papermill --engine provenote`` from a shell, with kernelspecs as Jupyter finds them."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.kernels.shared import shared_door
from pipeline.kernels.waiting import ask
from tests.support.kernels import Kitchen, add_kernelspec, cells, notebook_of
from tests.support.waiting import wait_for

NOTEBOOK = (
    "text = None",
    "import os, sys, module_beside, matplotlib\nprint(text, module_beside.word, sys.path)",
    "print(matplotlib.get_backend(), os.environ['MPLBACKEND'], os.environ['OF_THE_SHELL'])",
    "print(os.getcwd(), sys.orig_argv[-4:-1], hash('a'))",
    "#!\n1 / 0",
    "print('after')",
)
HOST = "import psutil\nprint(psutil.Process().parents()[1].pid)"
RESTARTS = """
import asyncio
from jupyter_client.manager import AsyncKernelManager

async def main():
    manager = AsyncKernelManager(kernel_name="forked")
    await manager.start_kernel()
    seen = []
    for again in (False, True):
        if again:
            await manager.restart_kernel()
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        asked = "known = 'word' in globals(); word = 1"
        reply = await client.execute_interactive(
            asked + "; first = not known", user_expressions={"first": "first"}, timeout=60
        )
        seen.append(reply["content"]["user_expressions"]["first"]["data"]["text/plain"])
        reply = await client.execute_interactive(
            "None", user_expressions={"known": "known"}, timeout=60
        )
        seen.append(reply["content"]["user_expressions"]["known"]["data"]["text/plain"])
        client.stop_channels()
    await manager.shutdown_kernel()
    print(seen[2], seen[3])

asyncio.run(main())
"""
LAUNCH = ("-m", "ipykernel_launcher", "-f", "{connection_file}")


@dataclass(frozen=True)
class Shell:
    """A shell of a user who has kernelspecs."""

    folder: Path
    python: Path

    @property
    def environ(self) -> dict[str, str]:
        told = {"HOME": self.folder, "TMPDIR": self.folder / "t", "JUPYTER_PATH": self.folder / "j"}
        paths = {name: str(path) for name, path in told.items()}
        own = {"PATH": os.environ["PATH"], "MPLBACKEND": "svg", "OF_THE_SHELL": "yes"}
        return {**own, **paths, "PYTHONHASHSEED": "3", "LANG": "C.UTF-8"}

    def add_kernel(self, name: str, *argv: str, **metadata: Any) -> None:
        spec: dict[str, Any] = {"argv": list(argv), "display_name": name, "language": "python"}
        spec |= {"metadata": metadata} if metadata else {}
        add_kernelspec(self.folder / "j", spec, name)

    def papermill(
        self, *words: str, told: tuple[str, ...] = NOTEBOOK
    ) -> "subprocess.CompletedProcess[str]":
        notebook = notebook_of(cells(*told))
        notebook["cells"][0]["metadata"] = {"tags": ["parameters"]}
        (self.folder / "given.ipynb").write_text(json.dumps(notebook))
        argv = [sys.executable, "-m", "papermill", "given.ipynb", "made.ipynb"]
        return subprocess.run(
            [*argv, "--no-progress-bar", "-p", "text", "ünï", *words],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def made(self) -> list[Any]:
        """What the cells of the notebook that was made show."""
        found = json.loads((self.folder / "made.ipynb").read_text())["cells"]
        shown = [cell["outputs"] for cell in found if cell["cell_type"] == "code"]
        return [[_plain(output) for output in outputs] for outputs in shown]

    def hosts(self) -> list[psutil.Process]:
        """Hosts whose place is below this shell's directory for temporary files."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.cwd().startswith(str(self.folder / "t" / "pn-")):
                    found.append(process)
        return found


def _plain(output: dict[str, Any]) -> Any:
    return "".join(output.get("text", "")) or output.get("evalue") or output.get("data")


@pytest.fixture
def shell(kitchen: Kitchen, tmp_path: Path) -> Iterator[Shell]:
    found = Shell(tmp_path, kitchen.venv / "bin" / "python")
    (tmp_path / "t").mkdir()
    (tmp_path / "module_beside.py").write_text("word = 'beside'\n")
    found.add_kernel("of-project", str(found.python), *LAUNCH)
    yield found
    for process in found.hosts():
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def test_a_notebook_is_executed_as_by_papermills_own_engine(shell: Shell) -> None:
    ended = shell.papermill("-k", "of-project")
    expected = shell.made()
    ours = shell.papermill("-k", "of-project", "--engine", "provenote")
    assert shell.made() == expected
    assert expected[2][0].startswith("ünï beside [")
    assert expected[3] == ["svg svg yes\n"]
    assert ended.returncode == ours.returncode
    assert len(shell.hosts()) == 1, "its host is left, and nothing else"


def test_the_next_one_finds_the_host(shell: Shell) -> None:
    found = []
    for _ in range(2):
        done = shell.papermill("-k", "of-project", "--engine", "provenote", told=("1", HOST))
        assert done.returncode == 0, done.stderr
        found.append(shell.made()[-1])
    assert found[0] == found[1] == [f"{shell.hosts()[0].pid}\n"]


def test_a_kernelspec_may_ask_for_a_fork_with_packages_whoever_executes(shell: Shell) -> None:
    asked = {"provisioner_name": "provenote-warm", "config": {"preload": ["wave"]}}
    shell.add_kernel("forked", str(shell.python), *LAUNCH, kernel_provisioner=asked)
    told = ("1", "import sys, os\nprint('wave' in sys.modules, os.environ['OF_THE_SHELL'])")
    for engine in ((), ("--engine", "provenote")):
        done = shell.papermill("-k", "forked", *engine, told=told)
        assert done.returncode == 0, done.stderr
        assert shell.made()[-1] == ["True yes\n"]
    assert len(shell.hosts()) == 1


def test_a_forked_kernel_can_be_started_again(shell: Shell) -> None:
    asked = {"provisioner_name": "provenote-warm"}
    shell.add_kernel("forked", str(shell.python), *LAUNCH, kernel_provisioner=asked)
    done = subprocess.run(
        [sys.executable, "-c", RESTARTS],
        cwd=shell.folder,
        env=shell.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "True False\n"), done.stderr


def test_a_kernel_that_there_is_not_is_told_by_papermill(shell: Shell) -> None:
    ended = shell.papermill("-k", "absent", "--engine", "provenote")
    assert ended.returncode != 0
    assert "NoSuchKernel: No such kernel named absent" in ended.stderr
    assert shell.hosts() == []


def test_where_a_fork_would_not_be_the_same_the_kernel_is_started_afresh(shell: Shell) -> None:
    without = shell.folder / "python-without"
    without.write_text(
        f'#!/bin/sh\ncase "$*" in *provenote*) exit 1;; esac\nexec {shell.python} "$@"\n'
    )
    without.chmod(0o755)
    shell.add_kernel("without-sdk", str(without), *LAUNCH)
    shell.add_kernel("with-options", str(shell.python), "-O", *LAUNCH)
    told = ("1", "import sys\nprint(sys.flags.optimize)")
    for name, printed in (("without-sdk", "0\n"), ("with-options", "1\n")):
        done = shell.papermill("-k", name, "--engine", "provenote", told=told)
        assert done.returncode == 0, done.stderr
        assert shell.made()[-1] == [printed]
        warned = "The kernel is started afresh" in done.stderr
        assert warned == (name == "without-sdk")
    assert (
        "Install provenote-sdk there"
        in shell.papermill("-k", "without-sdk", "--engine", "provenote", told=told).stderr
    )
    assert shell.hosts() == []


def test_a_shared_host_ends_when_it_is_idle(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(shell.folder / "t"))
    door = shared_door(shell.python, idle_seconds=0.5)
    (host,) = shell.hosts()
    kernel = ask(door)
    wait_for(lambda: kernel.listens, "the kernel")
    assert shared_door(shell.python, idle_seconds=0.5) == door
    assert host.is_running(), "it has a kernel"
    kernel.close()
    wait_for(lambda: not door.parent.exists(), "the host to end", 20)
    wait_for(lambda: shell.hosts() == [], "the host to be gone", 20)
