"""What surrounds the code that is running: a run of provenote, or a checkout on a laptop."""

import difflib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

VARIABLE = "PROVENOTE_CONTEXT"

Paths = Path | dict[str, Path]


class ContextError(LookupError):
    """Raised when code asks for an input, output or param that its surroundings lack."""


@dataclass(frozen=True)
class Entry:
    """The function that a stage consists of, and where its module is looked for."""

    search: tuple[str, ...]
    module: str
    function: str


@dataclass(frozen=True)
class Given:
    """An input that is one version of a partition of a dataset, or of a model."""

    input: str
    path: Path
    kind: str
    """``data`` or ``model``."""
    dataset: str
    partition: str
    batch: str
    number: int | None
    """Counts the batches of a partition: a model's version."""
    snapshot: str | None
    """The snapshot that the manifest names for this input."""


@dataclass(frozen=True)
class Context:
    """One run of a stage or report, as its worker describes it."""

    kind: str
    name: str
    inputs: dict[str, Paths]
    params: dict[str, object]
    output_dir: Path
    results: Path
    entry: Entry | None
    given: tuple[Given, ...]
    """The inputs that were read from datasets or are models."""
    as_of: str | None
    """The moment as of which the run reads data; None: what was current when it began."""

    @property
    def owner(self) -> str:
        """What is running, as a sentence names it."""
        return f"{self.kind} {self.name}"

    def params_like(self, text: str) -> str:
        """Return *text* as the manifest would have it: ``{date}`` where a param gives it."""
        for name, value in self.params.items():
            if value is not None and as_text(value) == text:
                return f"{{{name}}}"
        return text


def current() -> Context | None:
    """Return the run that is under way; None when provenote did not start this process."""
    path = os.environ.get(VARIABLE)
    return read_context(Path(path)) if path else None


@lru_cache(maxsize=1)
def read_context(path: Path) -> Context:
    """Read the context file at *path*."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    entry = raw.get("entry")
    return Context(
        kind=raw["kind"],
        name=raw["name"],
        inputs={name: _paths(value) for name, value in raw["inputs"].items()},
        params={name: param_value(p["type"], p["value"]) for name, p in raw["params"].items()},
        output_dir=Path(raw["output_dir"]),
        results=Path(raw["results"]),
        entry=entry and Entry(tuple(map(str, entry["search"])), entry["module"], entry["function"]),
        given=tuple(
            given for name, value in raw["inputs"].items() for given in _given(name, value)
        ),
        as_of=raw.get("as_of"),
    )


def _paths(value: dict[str, Any]) -> Paths:
    if "outputs" in value:
        return {name: Path(output["path"]) for name, output in value["outputs"].items()}
    return Path(value["path"])


def _given(name: str, value: dict[str, Any]) -> Iterator[Given]:
    for file in value.get("outputs", {"": value}).values():
        if "dataset" in file:
            yield Given(
                input=name,
                path=Path(file["path"]),
                kind=file.get("kind", "data"),
                dataset=file["dataset"],
                partition=file["partition"],
                batch=file["batch"],
                number=file.get("number"),
                snapshot=file.get("snapshot"),
            )


def as_text(value: object) -> str:
    """Return a partition, moment or param as text: dates in ISO form."""
    return value.isoformat() if isinstance(value, date) else str(value)


def param_value(kind: str, value: object) -> object:
    """Return the Python value of a param's JSON value: dates become datetime.date."""
    if kind == "date" and isinstance(value, str):
        return date.fromisoformat(value)
    return value


def find_input(name: str) -> Paths:
    """Return the path or paths of the input *name*; raise ContextError if there is none."""
    context = current()
    if context is None:
        from provenote import _local

        return _local.find_input(name)
    try:
        return context.inputs[name]
    except KeyError:
        raise ContextError(unknown("input", name, context.inputs, context.owner)) from None


def output_path(name: str) -> Path:
    """Return where the file *name* is to be written; its folder exists."""
    context = current()
    if context is None:
        from provenote import _local

        folder = _local.checkout() / ".provenote" / "outputs"
    else:
        folder = context.output_dir
    path = folder / name
    if not name or not path.resolve().is_relative_to(folder.resolve()) or path == folder:
        raise ContextError(
            f"output({name!r}) is no file below the output folder. "
            "Give a relative name such as output('scores.csv')."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def unknown(what: str, name: str, known: Iterable[str], owner: str) -> str:
    """Return the sentences that say that *owner* has no *what* called *name*."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    listed = f"has {', '.join(names)}" if names else "has none"
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no {what} {name!r}: {owner} {listed}.{hint}"


class Params(Mapping[str, object]):
    """The resolved params of the run, by attribute or by key; dates are datetime.date.

    On a laptop they are the defaults in the manifest's ``[params]``.
    """

    def __getitem__(self, name: str) -> object:
        values = _param_values()
        if name not in values:
            raise ContextError(unknown("param", name, values, "this run"))
        return values[name]

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except ContextError as error:
            raise AttributeError(str(error)) from None

    def __contains__(self, name: object) -> bool:
        return name in _param_values()

    def get(self, name: str, default: Any = None) -> Any:
        """Return the param *name*, or *default* when the run has none of that name."""
        return _param_values().get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(_param_values())

    def __len__(self) -> int:
        return len(_param_values())

    def __repr__(self) -> str:
        try:
            values = _param_values()
        except ContextError as error:
            return f"Params(<{error}>)"
        return f"Params({', '.join(f'{name}={value!r}' for name, value in values.items())})"


def _param_values() -> dict[str, object]:
    context = current()
    if context is not None:
        return context.params
    from provenote import _local

    return _local.default_params()
