"""Which files one Python source names by literals: data it reads, scripts it starts.

Places built from ``__file__`` are worked out; any other literal is matched later against the
ends of tracked paths, for what it is joined to may come from anywhere.
"""

import ast
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field

from provenance.identity.dynamic import literal

_SAME = {"Path", "PurePath", "PosixPath", "str", "fspath", "abspath", "realpath", "normpath"}
_SAME_METHODS = {"resolve", "absolute", "as_posix", "expanduser", "__str__"}
_TAKES_PATHS = {"Path", "PurePath", "PosixPath", "open", "joinpath", "glob", "iglob", "rglob"}
_TAKES_PATHS |= {"listdir", "scandir", "walk", "files", "path", "get_data", "contents", "loadtxt"}
_TAKES_PATHS |= {"genfromtxt", "fromfile", "connect", "copy", "copytree", "copyfile", "dataset"}
_PATH_PREFIXES = ("read_", "load", "scan_", "from_file", "from_csv", "from_parquet")
_RUNS_COMMANDS = {"run", "Popen", "call", "check_call", "check_output", "system", "getoutput"}
_RUNS_COMMANDS |= {"popen", "run_line_magic", "run_cell_magic", "getstatusoutput"}
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class DataReferences:
    """Literals that may name files.

    ``names`` may name a file; ``paths`` a file, a directory or a pattern with ``*``; so may
    ``anchored``, which are relative to the directory of the source itself.
    """

    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    anchored: tuple[str, ...] = ()


def data_references(tree: ast.Module, nodes: Iterable[ast.AST]) -> DataReferences:
    """Collect the literals of *tree*, whose *nodes* are at hand; docstrings do not count."""
    reader = _LiteralReader(_places(nodes))
    reader.visit(tree)
    return DataReferences(
        tuple(sorted(reader.names)), tuple(sorted(reader.paths)), tuple(sorted(reader.anchored))
    )


@dataclass
class _LiteralReader(ast.NodeVisitor):
    places: dict[str, str]
    names: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    anchored: set[str] = field(default_factory=set)

    def visit(self, node: ast.AST) -> None:
        place = _place(node, self.places) if isinstance(node, ast.expr) else None
        if place is None:
            super().visit(node)
        elif not place.endswith("\0"):
            self.anchored.add(place)

    def visit_Expr(self, node: ast.Expr) -> None:
        if literal(node.value) is None:
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if not (isinstance(target, ast.Name) and target.id in self.places):
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        text = literal(node)
        if text is not None and ("." in text or "/" in text):
            _keep(self.names, text)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pattern = _pattern(node) or ""
        if "/" in pattern and not pattern.startswith("*"):
            _keep(self.paths, pattern)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        base, tail = _tail(node)
        if tail:
            _keep(self.paths, "/".join(tail))
            self.visit(base)
        else:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _called(node)
        arguments = list(node.args)
        if name in ("join", "joinpath"):
            arguments = self._joined(arguments)
        elif name in ("glob", "rglob") and self._globbed(node):
            return
        takes_paths = name in _TAKES_PATHS or name.startswith(_PATH_PREFIXES)
        for argument in [*arguments, *(keyword.value for keyword in node.keywords)]:
            pattern = _pattern(argument) if takes_paths else None
            if pattern is not None:
                _keep(self.paths, pattern)
            elif name in _RUNS_COMMANDS and (text := literal(argument)) is not None:
                for word in text.split():
                    _keep(self.paths, word)
            else:
                self.visit(argument)
        self.visit(node.func)

    def _joined(self, arguments: list[ast.expr]) -> list[ast.expr]:
        """Take the literals at the end as one path; return the arguments before them."""
        tail: list[str] = []
        while arguments and (part := _pattern(arguments[-1])) is not None:
            tail.insert(0, part)
            arguments = arguments[:-1]
        if tail:
            _keep(self.paths, "/".join(tail))
        return arguments

    def _globbed(self, node: ast.Call) -> bool:
        """Take ``HERE.glob("*.csv")`` as one pattern, where the place of HERE is known."""
        if not (isinstance(node.func, ast.Attribute) and node.args):
            return False
        place = _place(node.func.value, self.places)
        pattern = _pattern(node.args[0])
        if place is None or pattern is None:
            return False
        deep = "**/" if node.func.attr == "rglob" else ""
        self.anchored.add(posixpath.join(place, deep + pattern))
        return True


def _places(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """Return the names that are assigned once, to a place that follows from ``__file__``."""
    places: dict[str, str] = {}
    assigned: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            if node.id in assigned:
                places.pop(node.id, None)
            assigned.add(node.id)
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, place = node.targets[0], _place(node.value, places)
            if isinstance(target, ast.Name) and place is not None and target.id not in assigned:
                places[target.id] = place
    return places


def _place(node: ast.AST, places: dict[str, str]) -> str | None:
    """Return where an expression points, relative to the source's directory, if it tells.

    The source itself is written as a NUL character: its own name is not known here.
    """
    found: str | None = None
    match node:
        case ast.Name(id=name):
            found = "\0" if name == "__file__" else places.get(name)
        case ast.Attribute(value=value, attr="parent"):
            found = _up(_place(value, places), 1)
        case ast.Subscript(
            value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(steps))
        ):
            found = _up(_place(value, places), steps + 1)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            found = _down(_place(left, places), [right])
        case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=str(end))):
            base = _place(left, places)
            found = None if base is None else posixpath.normpath(f"{base or '.'}{end}")
        case ast.Call():
            found = _place_of_call(node, places)
    return found


def _place_of_call(node: ast.Call, places: dict[str, str]) -> str | None:
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr=method), args=[]):
            return _place(value, places) if method in _SAME_METHODS else None
        case ast.Call(func=ast.Attribute(value=value, attr="joinpath"), args=parts):
            return _down(_place(value, places), parts)
        case ast.Call(func=ast.Attribute(value=value, attr="with_name"), args=[part]):
            return _down(_up(_place(value, places), 1), [part])
        case ast.Call(args=[first, *rest]):
            name = _called(node)
            if name == "dirname" and not rest:
                return _up(_place(first, places), 1)
            if name == "join" or name in _SAME:
                return _down(_place(first, places), rest)
    return None


def _up(place: str | None, steps: int) -> str | None:
    if place is None:
        return None
    for _ in range(steps):
        climbs = place in ("", ".") or place.split("/")[-1] == ".."
        place = posixpath.join(place, "..") if climbs else posixpath.dirname(place)
    return place


def _down(place: str | None, parts: list[ast.expr]) -> str | None:
    names = [literal(part) for part in parts]
    if place is None or None in names:
        return None
    return posixpath.normpath(posixpath.join(place, *filter(None, names)))


def _tail(node: ast.BinOp) -> tuple[ast.expr, list[str]]:
    """Split ``base / "a" / "b"`` into its base and the literals at the end."""
    tail: list[str] = []
    base: ast.expr = node
    while isinstance(base, ast.BinOp) and isinstance(base.op, ast.Div):
        part = _pattern(base.right)
        if part is None:
            break
        tail.insert(0, part)
        base = base.left
    return base, tail


def _pattern(node: ast.expr) -> str | None:
    """Return a literal, or an f-string with ``*`` for what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(part) or "*" for part in node.values)
    return literal(node)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _keep(kept: set[str], text: str) -> None:
    if 0 < len(text) <= _LONGEST and "\n" not in text and "\0" not in text:
        kept.add(text)
