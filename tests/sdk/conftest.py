"""A checkout, and stages and scripts run from it in processes of their own."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

SDK = Path(__file__).parents[2] / "sdk"
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SDK), "PYTHONUTF8": "1"}


@dataclass(frozen=True)
class Checkout:
    """A project's files, and a folder beside it for what runs leave."""

    root: Path
    work: Path
    environment: Mapping[str, str]
    python: Path = Path(sys.executable)

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def script(self, code: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run *code* as a user would, without any server."""
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=cwd or self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def line(self, code: str, **parts: Any) -> str:
        """Run *code* as a template of a run would, and return the last line that it wrote."""
        surroundings = {"PROVENOTE_CONTEXT": str(self.context(**parts))}
        told = replace(self, environment={**self.environment, **surroundings})
        process = told.script(f"from provenote import *\n{code}")
        said = process.stdout if process.returncode == 0 else process.stderr
        return said.strip().splitlines()[-1]

    def context(self, entry: str | None = None, **parts: Any) -> Path:
        """Write a context file and return its path."""
        output_dir = self.work / "out"
        output_dir.mkdir(parents=True, exist_ok=True)
        context = {
            "schema": 1,
            "kind": "stage" if entry else "report",
            "name": parts.get("name", "features"),
            "inputs": parts.get("inputs", {}),
            "params": parts.get("params", {}),
            "output_dir": str(output_dir),
            "results": str(self.work / "results.jsonl"),
            "as_of": parts.get("as_of"),
        }
        if entry:
            module, function = entry.split(":")
            search = parts.get("search", [str(self.root)])
            context["entry"] = {"search": search, "module": module, "function": function}
        path = self.work / "context.json"
        path.write_text(json.dumps(context))
        return path

    def stage(self, entry: str, **parts: Any) -> dict[str, Any]:
        """Run the stage *entry* ("module:function") and return its result."""
        context, result = self.context(entry, **parts), self.work / "result.json"
        result.unlink(missing_ok=True)
        process = subprocess.run(
            [str(self.python), "-P", "-m", "provenote._stage", str(context), str(result)],
            cwd=self.work,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        answer: dict[str, Any] = json.loads(result.read_text())
        return {**answer, "stdout": process.stdout, "stderr": process.stderr}

    @property
    def results(self) -> list[dict[str, Any]]:
        """The metrics and checks that were recorded, in order."""
        lines = (self.work / "results.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """An empty project."""
    for name in ("checkout", "work"):
        (tmp_path / name).mkdir()
    return Checkout(tmp_path / "checkout", tmp_path / "work", ENVIRONMENT)


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a project's environment without any package."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    return folder / "bin" / "python"
