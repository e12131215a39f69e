"""Building an environment with uv, and the log of it: each word as it is said, on disk at once."""

import os
import re
import selectors
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.environment_locks import DEFAULT, PYTHON, EnvironmentBuildError, Lock
from pipeline.environment_sdk import add_sdk
from pipeline.workplace import MARKER
from provenance.errors import ProvenoteError
from provenance.identity.environment import EnvironmentFacts

ALWAYS = ("ipykernel",)
BUILD_SECONDS = 1800.0
MAX_LOG_BYTES = 8 * 1024 * 1024
_TOLD_CHARACTERS = 4000
_POLL_SECONDS = 0.05
_SHORTEST_SECRET = 4
_PASSED = frozenset(
    {
        *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    }
)
_PASSED_PREFIXES = ("UV_", "SSL_CERT_")
_SECRET_NAME = re.compile(r"PASSWORD|TOKEN|SECRET|CREDENTIAL")
_USERINFO = re.compile(r"(?<=://)([^/\s@]+)@")
_ERROR = re.compile(r"^ *(?:error:|\N{MULTIPLICATION SIGN} )", re.MULTILINE)
_OF_ANOTHER_PYTHON = re.compile(
    r"does not satisfy Python|matching Python ABI tag|[Rr]equires-[Pp]ython"
)


def _unheard(text: str) -> None:
    del text


@dataclass(frozen=True)
class Supervision:
    """Who builds: the mark of all that is started for it, what may call it off, who listens.

    ``check`` is called now and then, and raises where the build has to end. ``hear`` gets what
    is said as it is said, in whole lines.
    """

    marker: str = ""
    check: Callable[[], None] = lambda: None
    hear: Callable[[str], None] = _unheard


UNSUPERVISED = Supervision()


class BuildLog:
    """What is said during a build: written down, and told to whoever listens."""

    def __init__(self, file: IO[bytes], hear: Callable[[str], None]) -> None:
        self._file = file
        self._hear = hear
        self._room = MAX_LOG_BYTES
        self._secrets = _secrets(_passed(os.environ))

    def say(self, text: str) -> str:
        """Add whole lines, and return them without what would give away a secret of ours."""
        for secret in self._secrets:
            text = text.replace(secret, "****")
        told = _USERINFO.sub("****@", text)
        self._write(told.encode(errors="replace"))
        return told

    def _write(self, data: bytes) -> None:
        if self._room <= 0:
            return
        self._room -= len(data)
        if self._room <= 0:
            data = data[: self._room] + b"\nMore was said than a log may hold.\n"
        self._file.write(data)
        self._file.flush()
        self._hear(data.decode(errors="replace"))


def _passed(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a build gets of our environment: how to reach the network, and nothing else.

    A package may run code of its own while it is built, and must find none of our secrets.
    """
    return {
        name: value
        for name, value in environment.items()
        if name.upper() in _PASSED or name.startswith(_PASSED_PREFIXES)
    }


def _secrets(passed: Mapping[str, str]) -> list[str]:
    """Return the names and passwords by which indexes and proxies are reached, longest first."""
    found = {value for name, value in passed.items() if _SECRET_NAME.search(name)}
    for value in passed.values():
        for userinfo in _USERINFO.findall(value):
            found |= {userinfo, userinfo.partition(":")[2]}
    return sorted((one for one in found if len(one) >= _SHORTEST_SECRET), key=len, reverse=True)


@dataclass(frozen=True)
class Builder:
    """Builds one environment in place."""

    root: Path
    lock: Lock
    supervision: Supervision
    log: BuildLog

    def build(self, describe: Callable[[Path], EnvironmentFacts]) -> EnvironmentFacts:
        """Build, with the facts that *describe* finds as the last thing written.

        A virtual environment holds its own path, so it cannot be built elsewhere and renamed.
        One without facts was interrupted: it is cleared away first.
        """
        started = time.monotonic()
        shutil.rmtree(self.root, ignore_errors=True)
        try:
            self.log.say(f"── An environment of Python {PYTHON}, from {self._source}\n")
            self._uv("venv", "--quiet", "--no-project", "--python", sys.executable, str(self.root))
            self._install()
            add_sdk(self._python)
            self._warm_caches()
            facts = describe(self.root)
        except BaseException as error:
            shutil.rmtree(self.root, ignore_errors=True)
            self.log.say(
                f"── It came to nothing after {time.monotonic() - started:.1f} s: {error}\n"
            )
            raise
        told = f"{len(facts.distributions)} packages after {time.monotonic() - started:.1f} s"
        self.log.say(f"── Ready: {told}\n")
        return facts

    @property
    def _source(self) -> str:
        return "the default list" if self.lock.name == DEFAULT else self.lock.name

    @property
    def _python(self) -> Path:
        return self.root / "bin" / "python"

    def _install(self) -> None:
        sources = self.root / "lock"
        for name, content in self.lock.files:
            (sources / name).parent.mkdir(parents=True, exist_ok=True)
            (sources / name).write_bytes(content)
        source = sources / self.lock.name
        if self.lock.name == "uv.lock":
            source = sources / "requirements.txt"
            export = ("export", "--quiet", "--frozen", "--no-emit-project", "--no-dev")
            self._uv(*export, "--project", str(sources), "--output-file", str(source))
        install = ("pip", "install", "--compile-bytecode", "--no-config")
        into = (*install, "--python", str(self._python))
        self.log.say(f"── What {self._source} names\n")
        self._uv(*into, "--requirements", str(source))
        self.log.say(f"── What every environment has: {', '.join(ALWAYS)}, and the SDK\n")
        self._uv(*into, *ALWAYS)

    def _warm_caches(self) -> None:
        """Let matplotlib find its fonts once, instead of in each run; others do without."""
        fonts = self.root / "cache" / "matplotlib"
        fonts.mkdir(parents=True)
        subprocess.run(
            [self._python, "-I", "-c", "import matplotlib.font_manager"],
            env={"MPLCONFIGDIR": str(fonts), "HOME": str(fonts.parent), "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=BUILD_SECONDS,
            check=False,
        )

    def _uv(self, *arguments: str) -> None:
        """Run uv; end it when the build is called off."""
        sources = self.root / "lock"
        process = subprocess.Popen(
            [_uv_program(), *arguments],
            cwd=sources if sources.is_dir() else self.root.parent,
            env=_passed(os.environ) | {MARKER: self.supervision.marker, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said = ""
        try:
            for text in _lines(process, self.supervision):
                said = (said + self.log.say(text))[-2 * _TOLD_CHARACTERS :]
        except BaseException:
            from pipeline.processes import end_tree  # it takes psutil, and is rare

            end_tree(process.pid)
            raise
        if process.returncode != 0:
            raise EnvironmentBuildError(
                f"The environment cannot be built from {self._source}.\n{_trimmed(said)}",
                _hint(said),
            )


def _uv_program() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise ProvenoteError("uv is not installed beside provenote.", "Run `make setup` again.")
    return uv


def _lines(process: "subprocess.Popen[bytes]", supervision: Supervision) -> Iterator[str]:
    """Yield what the process says until it has ended, a few whole lines at a time.

    Not until its pipe is closed: something that it started may keep that open.
    """
    assert process.stdout is not None  # noqa: S101
    deadline, rest, over = time.monotonic() + BUILD_SECONDS, b"", False
    with process.stdout as pipe, selectors.DefaultSelector() as selector:
        os.set_blocking(pipe.fileno(), False)
        selector.register(pipe, selectors.EVENT_READ)
        while not over:
            over = process.poll() is not None  # asked first: what it said before is read below
            supervision.check()
            if time.monotonic() > deadline:
                told = f"The environment was not built within {BUILD_SECONDS:.0f} s."
                raise EnvironmentBuildError(told)
            if not selector.select(0 if over else _POLL_SECONDS):
                continue
            data = pipe.read() or b""
            if not data:
                selector.unregister(pipe)
                process.wait()
            whole, newline, rest = (rest + data).rpartition(b"\n")
            if whole or newline:
                yield (whole + newline).decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace") + "\n"


def _trimmed(said: str) -> str:
    """Return what was said of the error; where that is long the end of it, in whole lines."""
    begins = _ERROR.search(said)
    said = said[begins.start() if begins else 0 :].strip()
    if len(said) <= _TOLD_CHARACTERS:
        return said
    return "…\n" + said[-_TOLD_CHARACTERS:].partition("\n")[2]


def _hint(said: str) -> str:
    if _OF_ANOTHER_PYTHON.search(said):
        return (
            f"Environments have the Python that provenote itself runs with, {PYTHON}: name a "
            "version that is made for it."
        )
    if "not found in the package registry" in said:
        return "Is the name right? Packages come from the index that UV_DEFAULT_INDEX names."
    return ""
