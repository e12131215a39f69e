"""Notes which files of the checkout users' code opens beyond those that were foreseen.

An audit hook hears of every open that Python makes. Opens by libraries in other languages
(Arrow's own file reader, HDF5), by programs that are started, and questions whether a file
exists are not heard.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from provenote._context import VARIABLE

_MOST_LINES = 10_000
_IMPORT_SYSTEM = "<frozen importlib._bootstrap_external>"
_METADATA = os.path.join("importlib", "metadata", "__init__.py")  # noqa: PTH118
_CACHE = "__pycache__"

_record: Callable[[str, Any], None] | None = None


def start_from_context() -> None:
    """Begin to observe, and to count what is printed, if the run around us asks for it."""
    path = os.environ.get(VARIABLE)
    told = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    if asked := told.get("observe"):
        start(asked["root"], asked["log"], asked.get("closure"))
    if room := told.get("output"):
        from provenote._output import cap

        cap(room)


def start(root: str, log: str, closure: Iterable[str] | None = None) -> None:
    """Note each file below *root* that is opened from now on, as a line of JSON in *log*.

    ``{"path": …}`` was read, or looked for and not found; ``{"path": …, "wrote": true}``
    written; a path with a slash at its end is a directory that was listed. Files of the
    *closure*, paths relative to *root*, are passed over. The hook cannot be removed; starting
    again gives it another root and log.
    """
    global _record  # noqa: PLW0603 - a process has one set of audit hooks, for its whole life
    os.close(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600))
    is_first = _record is None
    _record = _recorder(root, log, frozenset(closure or ()))
    if is_first:
        sys.addaudithook(_hook())


def _hook() -> Callable[[str, tuple[Any, ...]], None]:
    """Return the hook. It may run at any moment, in any thread, and while Python shuts down."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        handler = handlers.get(event)
        if handler is not None:
            try:  # noqa: SIM105 - contextlib.suppress would cost each event an object
                handler(args)
            except Exception:  # noqa: S110 - what users' code does must not fail for our sake
                pass

    handlers = {
        "open": _opened,
        "os.listdir": _listed,
        "os.scandir": _listed,
        "os.rename": lambda args: _noted("write", args[1]),
        "import": lambda args: _noted("read", args[1]),  # the file of an extension module
        "ctypes.dlopen": _loaded,
        "sqlite3.connect": _connected,
    }
    return hook


def _opened(args: tuple[Any, ...]) -> None:
    path, flags = args[0], args[2]
    if isinstance(path, int):
        return  # a file that was opened, and noted, before
    changes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    fresh = flags & os.O_TRUNC or (flags & os.O_CREAT and flags & os.O_EXCL)
    if not fresh:  # what is appended to may be read as well, later and by the same code
        _noted("read", path)
    if changes:
        _noted("write", path)


def _listed(args: tuple[Any, ...]) -> None:
    # The import system lists every folder that it searches, and importlib.metadata does so
    # for distributions: the closure and the environment's facts know of these.
    # Frames: the caller, the hook, this.
    caller = sys._getframe(2).f_code.co_filename
    if caller != _IMPORT_SYSTEM and not caller.endswith(_METADATA):
        path = "." if args[0] is None else args[0]
        is_number = isinstance(path, int)
        _noted("list", Path(f"/proc/self/fd/{path}").readlink() if is_number else path)


def _loaded(args: tuple[Any, ...]) -> None:
    if args[0] is not None and "/" in os.fsdecode(args[0]):  # else it is a library's bare name
        _noted("read", args[0])


def _connected(args: tuple[Any, ...]) -> None:
    name = os.fsdecode(args[0])
    if name.startswith("file:"):
        name = unquote(name[len("file:") :].partition("?")[0])
    if name not in ("", ":memory:"):
        _noted("read", name)


def _noted(kind: str, path: Any) -> None:
    if _record is not None and path is not None:
        _record(kind, path)


def _recorder(root: str, log: str, closure: frozenset[str]) -> Callable[[str, Any], None]:
    roots = tuple({f"{os.path.abspath(root)}/", f"{os.path.realpath(root)}/"})  # noqa: PTH100
    environments = tuple({f"{prefix}/" for prefix in (sys.prefix, sys.base_prefix)})
    inner = tuple(prefix for prefix in environments if prefix.startswith(roots))
    seen: set[tuple[str, bool]] = set()
    append = _appender(log)

    def record(kind: str, path: Any) -> None:
        if path == log:
            return  # our own: a hook hears of what it opens itself
        full = os.fsdecode(path)
        if not full.startswith("/") or "/." in full or "//" in full:
            full = os.path.normpath(os.path.join(os.getcwd(), full))  # noqa: PTH109, PTH118
        inside = _inside(f"{full}/" if kind == "list" else full, roots)
        if inside is None or (inner and full.startswith(inner)):
            return
        wrote = kind == "write"
        name = _source_of(inside)
        byte_code = name != inside
        if (name, wrote) in seen or (wrote and byte_code) or (name in closure and not wrote):
            return
        seen.add((name, wrote))
        if len(seen) <= _MOST_LINES + 1:
            append({"path": name, **({"wrote": True} if wrote else {})})

    return record


def _inside(full: str, roots: tuple[str, ...]) -> str | None:
    for root in roots:
        if full.startswith(root):
            return full[len(root) :] or "./"
    return None


def _source_of(path: str) -> str:
    """Return *path*; for byte code, the source that it was made of."""
    folder, _, name = path.rpartition("/")
    if folder != _CACHE and not folder.endswith(f"/{_CACHE}"):
        return path
    return f"{folder[: -len(_CACHE)]}{name.partition('.')[0]}.py"


def _appender(log: str) -> Callable[[dict[str, Any]], None]:
    """Return what appends a line to the log, whole, whichever process or thread calls it."""
    # Bound now: users' code may put others in their place.
    opened, write, close = os.open, os.write, os.close

    def append(line: dict[str, Any]) -> None:
        # Opened for each line: users' code may close any descriptor, and reuse its number.
        file = opened(log, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            write(file, json.dumps(line).encode("ascii") + b"\n")
        finally:
            close(file)

    return append
