"""The virtual environments in which users' code runs: built by uv, kept by what they are made of.

Each holds what the project's lock names, a Jupyter kernel, and the SDK; never anything else of
ours. An environment is built beside its place and renamed into it, so one that is there is whole.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from pipeline.installed import FACTS, describe, installed_now
from pipeline.repository.tree import Tree
from pipeline.workplace import MARKER
from provenance.errors import InvalidInputError, ProvenoteError
from provenance.files import mark_used
from provenance.identity.environment import EnvironmentFacts

_DEFAULT_LOCK = Path(__file__).with_name("default_environment.txt")
_LOCAL_REQUIREMENT = re.compile(
    rb"^[ \t]*(?:-e\b|--editable\b|\.|/|file:|[^#\n]*@[ \t]*file:).*$", re.M
)
_ALWAYS = ("ipykernel",)
_PASSED = frozenset(
    {
        *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    }
)
_PASSED_PREFIXES = ("UV_", "SSL_CERT_")
BUILD_SECONDS = 1800.0
_POLL_SECONDS = 0.2


class EnvironmentBuildError(InvalidInputError):
    """Raised when a project's environment cannot be built; holds the resolver's words."""

    code = "environment"


@dataclass(frozen=True)
class Lock:
    """What an environment is made of: the file to install from, and what must lie beside it."""

    name: str
    files: tuple[tuple[str, bytes], ...]

    @property
    def key(self) -> str:
        """Digest of the files, the Python version, the platform and the SDK."""
        hasher = hashlib.sha256(b"environment:v1\n")
        parts = [self.name.encode(), sys.version.encode(), sysconfig.get_platform().encode()]
        parts.append(_sdk_digest())
        for name, content in self.files:
            parts += [name.encode(), content]
        for part in parts:
            hasher.update(len(part).to_bytes(8, "big") + part)
        return hasher.hexdigest()


@dataclass(frozen=True)
class Environment:
    """A virtual environment that is ready for use."""

    key: str
    root: Path
    facts: EnvironmentFacts

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.root / "bin" / "python"


def lock_of(tree: Tree, reference: str | None) -> Lock:
    """Return the lock that a manifest names in ``[environment] from``, or the default one."""
    if reference is None:
        return Lock("default", (("default", _DEFAULT_LOCK.read_bytes()),))
    path = PurePosixPath(reference)
    files = [(path.name, tree.read(reference))]
    local = _LOCAL_REQUIREMENT.search(files[0][1]) if path.suffix == ".txt" else None
    if local is not None:
        raise EnvironmentBuildError(
            f"{reference} installs from a path: {local[0].decode(errors='replace').strip()}",
            "Name packages by name and version; code of the project is imported as it is.",
        )
    if path.name == "uv.lock":
        files.append(("pyproject.toml", tree.read(str(path.with_name("pyproject.toml")))))
    return Lock(path.name, tuple(files))


@dataclass(frozen=True)
class Supervision:
    """Who builds: the mark of all that is started for it, and what may call it off.

    ``check`` is called now and then, and raises where the build has to end.
    """

    marker: str = ""
    check: Callable[[], None] = lambda: None


def environment_for(
    home: Path, lock: Lock, supervision: Supervision = Supervision()
) -> Environment:
    """Return the environment of *lock* below *home*, building it if it is not there.

    Raises EnvironmentBuildError with the words of whatever could not build it.
    """
    root = home / lock.key[:24]
    facts_file = root / FACTS
    if not facts_file.exists():
        home.mkdir(parents=True, exist_ok=True)
        with _only_builder(home / f"{lock.key[:24]}.lock", supervision):
            if not facts_file.exists():
                _build(root, lock, supervision)
    mark_used(root)
    return Environment(lock.key, root, installed_now(root))


@contextmanager
def _only_builder(path: Path, supervision: Supervision) -> Iterator[None]:
    """Hold the lock under which an environment is built; waits for another's build."""
    from filelock import FileLock  # slow to import, and mostly nothing is built

    lock = FileLock(path)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_POLL_SECONDS)
        except TimeoutError:
            supervision.check()
    try:
        yield
    finally:
        lock.release()


def _build(root: Path, lock: Lock, supervision: Supervision) -> None:
    """Build in place, with the facts file as the last thing written.

    A virtual environment holds its own path, so it cannot be built elsewhere and renamed.
    One without the facts file was interrupted: it is cleared away first.
    """
    shutil.rmtree(root, ignore_errors=True)
    try:
        new = ("venv", "--quiet", "--no-project", "--python", sys.executable, str(root))
        _uv(supervision, root, *new)
        python = root / "bin" / "python"
        _install(python, root, lock, supervision)
        _add_sdk(python)
        _warm_caches(python, root / "cache")
        describe(root)
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise


def _install(python: Path, root: Path, lock: Lock, supervision: Supervision) -> None:
    sources = root / "lock"
    sources.mkdir()
    for name, content in lock.files:
        (sources / name).write_bytes(content)
    source = sources / lock.name
    if lock.name == "uv.lock":
        source = sources / "requirements.txt"
        export = ("export", "--quiet", "--frozen", "--no-emit-project", "--no-dev")
        _uv(supervision, sources, *export, "--project", str(sources), "--output-file", str(source))
    quietly = ("--quiet", "--compile-bytecode", "--no-config")
    install = ("pip", "install", *quietly, "--python", str(python))
    _uv(supervision, sources, *install, "--requirements", str(source))
    _uv(supervision, sources, *install, *_ALWAYS)


def _sdk() -> Path:
    found = importlib.util.find_spec("provenote")
    if found is None or not found.submodule_search_locations:
        raise ProvenoteError("The SDK is not installed beside provenote.", "Run `make setup`.")
    return Path(found.submodule_search_locations[0])


@cache
def _sdk_digest() -> bytes:
    hasher = hashlib.sha256()
    for path in sorted(_sdk().glob("*.py")):
        hasher.update(path.name.encode() + b"\0" + path.read_bytes())
    return hasher.digest()


def _add_sdk(python: Path) -> None:
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


def _warm_caches(python: Path, caches: Path) -> None:
    """Let matplotlib find its fonts once, instead of in each run; other projects do without."""
    fonts = caches / "matplotlib"
    fonts.mkdir(parents=True)
    subprocess.run(
        [python, "-I", "-c", "import matplotlib.font_manager"],
        env={"MPLCONFIGDIR": str(fonts), "HOME": str(caches), "PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=BUILD_SECONDS,
        check=False,
    )


def _builder_environment(marker: str) -> dict[str, str]:
    """Return what uv gets of our environment: how to reach the network, and nothing else.

    A package may run code of its own while it is built, and must find none of our secrets.
    """
    passed = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _PASSED or name.startswith(_PASSED_PREFIXES)
    }
    return passed | {MARKER: marker}


def _uv(supervision: Supervision, directory: Path, *arguments: str) -> None:
    """Run uv in *directory*; end it when the build is called off."""
    beside = Path(sysconfig.get_path("scripts")) / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise ProvenoteError("uv is not installed beside provenote.", "Run `make setup` again.")
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [uv, *arguments],
            cwd=directory if directory.is_dir() else directory.parent,
            env=_builder_environment(supervision.marker),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        try:
            _wait(process, supervision)
        except BaseException:
            from pipeline.processes import end_tree  # it takes psutil, and is rare

            end_tree(process.pid)
            raise
        if process.returncode != 0:
            said.seek(0)
            words = said.read().decode(errors="replace").strip()[-4000:]
            raise EnvironmentBuildError(f"The environment cannot be built.\n{words}")


def _wait(process: "subprocess.Popen[bytes]", supervision: Supervision) -> None:
    deadline = time.monotonic() + BUILD_SECONDS
    while process.poll() is None:
        supervision.check()
        if time.monotonic() > deadline:
            raise EnvironmentBuildError(
                f"The environment was not built within {BUILD_SECONDS:.0f} s."
            )
        time.sleep(_POLL_SECONDS / 4)
