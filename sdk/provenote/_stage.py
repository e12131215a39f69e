"""The child process of one stage: ``python -P -m provenote._stage CONTEXT.json RESULT.json``.

It runs in the project's environment, imports the user's module from the checkout and calls
its function. Whatever the user's code does ends as a result file; only a failure of ours,
or the death of the process, leaves none.
"""

import dataclasses
import difflib
import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from provenote import _observe
from provenote._arguments import bind
from provenote._context import VARIABLE, Context, Entry, read_context
from provenote._failure import Failure, StageError, describe, inside
from provenote._returns import Output, save

PR_SET_PDEATHSIG = 1
SIGKILL = 9


def main(arguments: list[str]) -> None:
    """Run the stage that the context file describes and write its result file."""
    context_file, result_file = map(Path, arguments)
    die_with_parent()
    os.environ[VARIABLE] = str(context_file)
    context = read_context(context_file)
    entry = context.entry
    if entry is None:
        raise SystemExit(f"{context_file} describes no stage: it has no entry.")
    _observe.start_from_context()
    sys.path[:0] = entry.search
    sys.argv = [f"{entry.module}:{entry.function}"]
    write_result(result_file, run(context, entry))


def run(context: Context, entry: Entry) -> tuple[Output, ...] | Failure:
    """Import and call the stage's function; whatever the user's code raises is returned."""
    kind = "import"
    try:
        function = load(entry)
        kind = "exception"
        bound = bind(function, context)
        returned = function(*bound.args, **bound.kwargs)
        return save(returned, context.output_dir, context.name)
    except BaseException as error:  # SystemExit and Ctrl-C are results as well
        return describe(error, entry.search, kind)


def load(entry: Entry) -> Callable[..., Any]:
    """Import the stage's function from the checkout."""
    try:
        module = importlib.import_module(entry.module)
    except ModuleNotFoundError as error:
        if error.name and f"{entry.module}.".startswith(f"{error.name}."):
            raise _no_module(entry) from error
        raise
    function = getattr(module, entry.function, None)
    if not callable(function):
        raise _no_function(entry, module)
    return function  # type: ignore[no-any-return]  # callable() narrows no further


def _no_module(entry: Entry) -> StageError:
    wanted = f"{entry.module.replace('.', '/')}.py"
    folder = Path(entry.search[0], wanted).parent if entry.search else Path()
    names = [f"{path.stem}" for path in sorted(folder.glob("*.py"))] if entry.search else []
    near = difflib.get_close_matches(Path(wanted).stem, names, n=1)
    return StageError(
        "import",
        f"There is no module {entry.module}: {wanted} is not in the project.",
        f"Did you mean {near[0]!r}?" if near else "Is the file committed?",
    )


def _no_function(entry: Entry, module: ModuleType) -> StageError:
    functions = sorted(
        name for name, value in vars(module).items() if callable(value) and name[0] != "_"
    )
    near = difflib.get_close_matches(entry.function, functions, n=1)
    file = inside(module.__file__ or "", entry.search) or entry.module
    return StageError(
        "import",
        f"{file} has no function {entry.function!r}.",
        f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(functions) or 'none'}.",
        where=file,
    )


def write_result(path: Path, result: tuple[Output, ...] | Failure) -> None:
    """Write the result file at once and whole, so that a reader never sees half of it."""
    body: dict[str, object]
    if isinstance(result, Failure):
        body = {"status": "error", **dataclasses.asdict(result)}
    else:
        body = {"status": "ok", "outputs": [dataclasses.asdict(output) for output in result]}
    temporary = path.with_name(path.name + ".part")
    # A message may hold lone surrogates (undecodable file names); ASCII escapes carry them.
    temporary.write_text(json.dumps(body), encoding="ascii")
    temporary.replace(path)


def die_with_parent() -> None:
    """Ask Linux to end this process when the thread that started it ends."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
