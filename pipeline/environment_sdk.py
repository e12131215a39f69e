"""The SDK, which is all of ours that an environment holds."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from provenance.errors import ProvenoteError


def _sdk() -> Path:
    found = importlib.util.find_spec("provenote")
    if found is None or not found.submodule_search_locations:
        raise ProvenoteError("The SDK is not installed beside provenote.", "Run `make setup`.")
    return Path(found.submodule_search_locations[0])


@cache
def sdk_digest() -> bytes:
    """Return what tells this SDK from those of other versions."""
    hasher = hashlib.sha256()
    for path in sorted(_sdk().glob("*.py")):
        hasher.update(path.name.encode() + b"\0" + path.read_bytes())
    return hasher.digest()


def add_sdk(python: Path) -> None:
    """Copy the SDK beside the project's packages: it is plain Python and needs no build."""
    command = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run(
        [python, "-I", "-c", command],
        env={"PATH": os.defpath},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    target = Path(done.stdout.strip()) / "provenote"
    shutil.copytree(_sdk(), target, ignore=shutil.ignore_patterns("__pycache__"))
    # No job may write byte code: without this, each would compile the SDK anew.
    compile_all = [str(python), "-I", "-m", "compileall", "-q", str(target)]
    subprocess.run(compile_all, env={"PATH": os.defpath}, check=True, timeout=60)
