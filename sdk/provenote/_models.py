"""Models: an object with its metadata and metrics as one package, and back again."""

import importlib
import importlib.util
import json
import pickle
from pathlib import Path
from typing import Any

from provenote._context import Context, ContextError, Given, current, unknown
from provenote._data import private_file
from provenote._results import append, metrics_so_far, say

JOBLIB, PICKLE = "joblib", "pickle"
SUFFIXES = {JOBLIB: ".joblib", PICKLE: ".pkl"}
_PROTOCOL = 5
# Objects that hold large arrays, which joblib writes as they are.
_BY_JOBLIB = frozenset({"sklearn", "lightgbm", "xgboost", "imblearn", "joblib"})


def save_model(obj: object, name: str, metadata: dict[str, object]) -> None:
    """Keep *obj* as the next version of the model *name*; see ``provenote.save_model``."""
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"A model's name must be a non-empty string, found {name!r}.")
    told = _json(name, metadata)
    context = current()
    form = _format(obj)
    if context is None:
        from provenote import _command

        with _command.temporary_file(f"model{SUFFIXES[form]}") as path:
            _write(obj, path, name, form)
            _command.save_model(path, name, told, metrics_so_far())
        return
    path = private_file(context, SUFFIXES[form])
    _write(obj, path, name, form)
    model = {
        "name": name,
        "path": str(path),
        "format": form,
        "metadata": told,
        "metrics": metrics_so_far(),
    }
    append(context.results, {"model": model})
    say(f"model {name}: kept as {form}, published when this has succeeded")


def load_model(name: str, version: int | None) -> Any:
    """Return the object of the model *name*; see ``provenote.load_model``."""
    context = current()
    if context is None:
        from provenote import _command

        return _read(_command.model_path(name, version), name)
    return _read(_find(context, name, version).path, name)


def _find(context: Context, name: str, version: int | None) -> Given:
    declared = [given for given in context.given if given.kind == "model"]
    found = [given for given in declared if given.dataset == name]
    exactly = f", version = {version}" if version is not None else ""
    line = f'{name} = {{ model = "{name}"{exactly} }}'
    where = f"[{context.kind}s.{context.name}]"
    if not found:
        said = unknown("model", name, {given.dataset for given in declared}, context.owner)
        raise ContextError(f"{said} Add it to the inputs of {where}: {line}.")
    for given in found:
        if version in (None, given.number):
            return given
    raise ContextError(
        f"Version {version} of the model {name} is not what this run reads: it has resolved "
        f"version {found[0].number}. Choose it in the inputs of {where}: {line}; "
        "the code can leave version= out."
    )


def _json(name: str, metadata: dict[str, object]) -> dict[str, object]:
    for key, value in metadata.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"Model {name}: metadata {key}={value!r} is no JSON value ({error}). "
                "Give texts, finite numbers, booleans, lists or dicts of these."
            ) from error
    return metadata


def _format(obj: object) -> str:
    roots = {kind.__module__.partition(".")[0] for kind in type(obj).__mro__}
    usable = roots & _BY_JOBLIB and importlib.util.find_spec(JOBLIB) is not None
    return JOBLIB if usable else PICKLE


def _write(obj: object, path: Path, name: str, form: str) -> None:
    try:
        if form == JOBLIB:
            importlib.import_module(JOBLIB).dump(obj, path, protocol=_PROTOCOL)
        else:
            with path.open("wb") as file:
                pickle.dump(obj, file, protocol=_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        path.unlink(missing_ok=True)
        raise TypeError(
            f"Model {name}: {type(obj).__name__} cannot be kept: {error}. "
            "Leave out open files, connections and functions defined inside others."
        ) from error


def _read(path: Path, name: str) -> Any:
    """Return the object at *path*; it is the project's own code that made it."""
    try:
        if path.suffix == SUFFIXES[JOBLIB]:
            return importlib.import_module(JOBLIB).load(path)
        with path.open("rb") as file:
            return pickle.load(file)  # noqa: S301 - in the user's own process and environment
    except ImportError as error:
        raise ContextError(
            f"The model {name} cannot be read here: {error}. Add the package that provides "
            f"{(error.name or 'it').partition('.')[0]!r} to the project's requirements."
        ) from error
