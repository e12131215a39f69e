"""Packages that tests build, and install into an environment by hand."""

import base64
import hashlib
import shutil
import subprocess
import sysconfig
import zipfile
from pathlib import Path

from pipeline.environments import Environment, environment_for, lock_of
from pipeline.repository.tree import MemoryTree


def environment_of(environments: Path, requirements: str) -> Environment:
    """Return the environment of a project whose lock is this text."""
    tree = MemoryTree({"requirements.txt": requirements.encode()})
    return environment_for(environments, lock_of(tree, "requirements.txt"))


def wheel(folder: Path, name: str, level: int) -> Path:
    """Build version *level* of a package whose only module says which it is."""
    info = f"{name}-{level}.0.dist-info"
    files = {
        f"{name}.py": f"LEVEL = {level}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {level}.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    path = folder / f"{name}-{level}.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return path


def _digest(text: str) -> str:
    found = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(found).decode().rstrip("=")


def install(environment: Environment, *wheels: Path) -> None:
    """Install wheels by hand, past every lock and without a network."""
    beside = Path(sysconfig.get_path("scripts")) / "uv"
    uv = str(beside) if beside.exists() else str(shutil.which("uv"))
    options = ["--offline", "--no-index", "--no-deps", "--no-cache", "--no-config", "--quiet"]
    command = [uv, "pip", "install", *options, "--python", str(environment.python)]
    subprocess.run([*command, *map(str, wheels)], check=True, capture_output=True)
