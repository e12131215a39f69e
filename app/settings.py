"""The settings: environment variables with the prefix ``PROVENOTE_``."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from app.homes import default_home
from app.machine import most_memory
from app.served import served_address
from provenance.nearest import nearest
from provenance.sizes import read_size

PREFIX = "PROVENOTE_"
BASE_URL = f"{PREFIX}BASE_URL"
_NOT_OURS = {"PROVENOTE_CONTEXT", "PROVENOTE_ATTEMPT", "PROVENOTE_RESULTS"}
"""What users' code finds in its environment, and a command that it starts with it."""

_MAY_BE_ZERO = {"PROVENOTE_DRAIN_SECONDS", "PROVENOTE_PROOF_RUNS"}


class SettingsError(Exception):
    """Raised when a ``PROVENOTE_`` variable is unknown or malformed."""


def _size(found: object) -> int:
    """Return the bytes that a variable's text means: a plain number is one of bytes."""
    try:
        return read_size(int(found) if isinstance(found, str) and found.isdecimal() else found)
    except ValueError as error:
        raise PydanticCustomError("size", "{text}", {"text": str(error)}) from None


Size = Annotated[int, BeforeValidator(_size)]


def _setting(help_text: str, default: Any) -> Any:
    if callable(default):
        return field(default_factory=default, metadata={"help": help_text})
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class Settings:
    """Every setting with its default; ``provenote config`` prints them."""

    home: Path = _setting("Directory that holds everything provenote keeps.", default_home)  # noqa: RUF009
    database_url: str = _setting(
        "The ledger's database (SQLAlchemy's form); empty: SQLite in the home directory.", ""
    )
    broker_url: str = _setting(
        "Celery's broker, the doorbell only; empty: a folder in the home directory.", ""
    )
    store_url: str = _setting(
        "Where artifacts are kept: file:///… or s3://bucket/prefix; empty: a folder in the home.",
        "",
    )
    base_url: str = _setting(
        "The address under which people reach the web pages; left out: where they were served "
        "last.",
        "http://127.0.0.1:8000",
    )
    secret_key: str = _setting(
        "Signs sessions and derives hook secrets; empty: made once, kept in the home directory.", ""
    )
    workers: int = _setting(
        "How many runs a worker executes side by side.", lambda: max(2, os.cpu_count() or 2)
    )
    web_threads: int = _setting("How many requests the web server answers side by side.", 12)
    lease_seconds: float = _setting(
        "How long a worker may be silent before its run is given to another.", 60.0
    )
    drain_seconds: float = _setting(
        "How long a worker that was asked to stop may go on with the runs that it has.", 30.0
    )
    run_seconds: float = _setting("Longest time a run may take.", 3600.0)
    cell_seconds: float = _setting("Longest time one notebook cell may take.", 1800.0)
    git_seconds: float = _setting("Longest time one git command may take.", 120.0)
    memory: Size = _setting(  # noqa: RUF009
        'Most memory one job may use, with all that it starts, such as "4 GB"; '
        "by default four fifths of the machine's.",
        most_memory,
    )
    processes: int = _setting("Most processes one job may have at a time.", 1_000)
    disk: Size = _setting(  # noqa: RUF009
        "Most that one job may write into its directory.", 50 * 10**9
    )
    open_files: int = _setting("Most files that a process of a job may have open.", 65_536)
    output: Size = _setting(  # noqa: RUF009
        "Most that one job may print or show; the rest is cut.", 100 * 10**6
    )
    proof_runs: int = _setting(
        "One in how many reports of warm kernels is executed by a cold one too; 0: none.", 50
    )
    isolation: Literal["auto", "none"] = _setting(
        "Set users' code apart by namespaces where the machine allows it (auto), or never (none).",
        "auto",
    )
    require_isolation: bool = _setting("Execute nothing where that is not possible.", False)
    network: bool = _setting("Let users' code use the network; to forbid it takes isolation.", True)
    max_hook_bytes: int = _setting("Largest hook body that is read.", 25 * 1024 * 1024)
    max_batch_bytes: int = _setting("Largest batch that is taken over HTTP.", 1024 * 1024 * 1024)
    allow_file_repositories: bool = _setting(
        "Allow projects whose repository is a path on this machine.", False
    )

    chromium: str = _setting(
        "The browser that prints reports as PDF; empty: the Chromium in one of the usual places.",
        "",
    )

    @property
    def ledger_url(self) -> str:
        """The ledger's address with the default filled in."""
        return self.database_url or f"sqlite:///{self.home / 'ledger.sqlite'}"

    @property
    def store_in_bucket(self) -> bool:
        """Whether artifacts are kept in a bucket."""
        return self.store_url.startswith("s3://")

    @property
    def store_path(self) -> Path:
        """The store's directory with the default filled in; of a bucket, that of our copies."""
        if self.store_in_bucket and len(self.store_url) > len("s3://"):
            return self.home / "copies"
        if not self.store_url:
            return self.home / "store"
        path = self.store_url.removeprefix("file://")
        if not path.startswith("/"):
            raise SettingsError(
                f"{PREFIX}STORE_URL={self.store_url!r}: expected file:///… or s3://bucket/prefix."
            )
        return Path(path)


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from *environ* (default: the process's environment)."""
    environ = os.environ if environ is None else environ
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    values: dict[str, Any] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable in _NOT_OURS:
            continue
        if variable not in known:
            raise SettingsError(_unknown(variable, list(known)))
        values[known[variable].name] = _parse(variable, text, known[variable].type)
    settings = Settings(**values)
    if BASE_URL in environ:
        return settings
    served = served_address(settings.home)
    return replace(settings, base_url=served) if served and _leads(served) else settings


def as_environment(settings: Settings) -> dict[str, str]:
    """Return the variables by which another process of ours has the same settings."""
    return {PREFIX + one.name.upper(): str(getattr(settings, one.name)) for one in fields(Settings)}


def _unknown(variable: str, known: list[str]) -> str:
    names = [name.removeprefix(PREFIX) for name in known]
    near = nearest(variable.removeprefix(PREFIX), names)
    hint = f"Did you mean {PREFIX}{near}?" if near else "`provenote config` lists all settings."
    return f"{variable} is no setting of provenote. {hint}"


def _parse(variable: str, text: str, wanted: Any) -> Any:
    try:
        value = TypeAdapter(wanted).validate_python(text)
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise SettingsError(f"{variable}={text!r}: {problem}.") from error
    if type(value) in (int, float):
        _check_number(variable, text, value)
    if variable == BASE_URL:
        _check_address(variable, text)
    return value.expanduser().absolute() if isinstance(value, Path) else value


def _check_number(variable: str, text: str, value: float) -> None:
    """Refuse a number with which nothing would ever run, or never end."""
    enough = value >= 0 if variable in _MAY_BE_ZERO else value > 0
    if not enough or not math.isfinite(value):
        raise SettingsError(f"{variable}={text!r}: expected a number above 0, and not infinite.")


def _check_address(variable: str, text: str) -> None:
    """Refuse what leads nowhere: it would be written into hooks and links."""
    if not _leads(text):
        raise SettingsError(
            f"{variable}={text!r}: expected an address such as http://127.0.0.1:8000."
        )


def _leads(text: str) -> bool:
    try:
        parts = urlsplit(text)
        # To ask for the port reads it.
        leads = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return leads and not (parts.query or parts.fragment or " " in text) and text.isprintable()
