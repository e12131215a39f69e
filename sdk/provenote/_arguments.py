"""The arguments of a stage's function: its inputs and params, by name."""

import difflib
import inspect
import re
import typing
from collections.abc import Callable
from typing import Any

from provenote._context import Context, Paths
from provenote._failure import StageError
from provenote._frames import FrameError, read_frame

# In the text of an annotation: DataFrame, pd.DataFrame, pandas.DataFrame; not pl.DataFrame.
FRAME_TEXT = re.compile(r"(?<![\w.])(?:(?:pd|pandas)\.)?DataFrame\b")


def bind(function: Callable[..., Any], context: Context) -> inspect.BoundArguments:
    """Return the arguments to call *function* with; raise StageError when one is missing."""
    signature = inspect.signature(function)
    annotations = _annotations(function)
    offered: dict[str, Any] = {**context.params, **context.inputs}
    missing: list[str] = []
    bound = signature.bind_partial()
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            rest = {key: offered[key] for key in offered if key not in signature.parameters}
            bound.arguments[name] = rest
        elif name in offered:
            bound.arguments[name] = _value(name, annotations.get(name), context)
        elif parameter.default is parameter.empty:
            missing.append(name)
    if missing:
        raise _missing(function, missing, context)
    return bound


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception:  # an annotation may name what only a type checker imports
        return dict(getattr(function, "__annotations__", {}))


def _value(name: str, annotation: Any, context: Context) -> Any:
    if name in context.inputs:
        return _input(name, annotation, context.inputs[name])
    value = context.params[name]
    wants_text = annotation is str or annotation == "str"
    return value.isoformat() if wants_text and hasattr(value, "isoformat") else value


def _input(name: str, annotation: Any, paths: Paths) -> Any:
    if not _wants_frame(annotation):
        return paths
    try:
        if isinstance(paths, dict):
            return {output: read_frame(path) for output, path in paths.items()}
        return read_frame(paths)
    except FrameError as error:
        raise StageError("arguments", f"Input {name!r}: {error}", error.hint) from error


def _wants_frame(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return FRAME_TEXT.search(annotation) is not None
    if isinstance(annotation, type) and annotation.__name__ == "DataFrame":
        return annotation.__module__.partition(".")[0] == "pandas"
    return any(_wants_frame(part) for part in typing.get_args(annotation))


def _missing(function: Callable[..., Any], names: list[str], context: Context) -> StageError:
    inputs, params = sorted(context.inputs), sorted(context.params)
    wanted = " and ".join(repr(name) for name in names)
    near = difflib.get_close_matches(names[0], [*inputs, *params], n=1)
    have = [
        f"inputs: {', '.join(inputs)}" if inputs else "no inputs",
        f"params: {', '.join(params)}" if params else "no params",
    ]
    return StageError(
        "arguments",
        f"{function.__name__}() takes {wanted}, which stage {context.name} does not have "
        f"({'; '.join(have)}).",
        (f"Did you mean {near[0]!r}? " if near else "")
        + f"Name the argument like an input or param of [stages.{context.name}], "
        "add it there, or give the argument a default.",
    )
