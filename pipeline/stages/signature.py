"""What a stage takes, read from its code without running it."""

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from pipeline.repository.tree import Tree
from provenance.errors import InvalidInputError, ProvenoteError
from provenance.nearest import did_you_mean, listed
from provenance.parsing import parse

SEARCH = ("", "src")
"""Folders of a checkout from which its code imports, in order."""
SOURCE_FOLDERS = ("", "src/")

# What in SQL is no code (texts, names in quotes, comments), what only looks like a bind
# (a cast, an escaped colon), and binds themselves, in this order.
_SQL = re.compile(
    r"""'(?:[^']++|'')*+(?:'|\Z)|"(?:[^"]++|"")*+(?:"|\Z)|`[^`]*+(?:`|\Z)
    |--[^\n]*|/\*.*?(?:\*/|\Z)
    |\\:|::|:=|(?<![\w:]):(?P<bind>[A-Za-z_]\w*)""",
    re.DOTALL | re.VERBOSE,
)


class SignatureError(InvalidInputError):
    """Raised when the function that a stage names cannot be found, or cannot be called."""

    code = "signature"


@dataclass(frozen=True)
class Argument:
    """One argument of a stage's function."""

    name: str
    annotation: str | None
    required: bool


@dataclass(frozen=True)
class Signature:
    """The function of a stage as its module defines it."""

    path: str
    line: int
    function: str
    arguments: tuple[Argument, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all arguments, in order."""
        return tuple(argument.name for argument in self.arguments)


def split_entry(entry: str) -> tuple[str, str]:
    """Return module and function of "module:function"; raise SignatureError."""
    module, colon, function = entry.partition(":")
    parts = [*module.split("."), function]
    if not colon or not all(part.isidentifier() for part in parts):
        raise SignatureError(
            f"found {entry!r}, expected a module and a function like 'stages.features:build'."
        )
    return module, function


def module_path(tree: Tree, module: str) -> str:
    """Return the path of the file that *module* is; raise SignatureError if there is none."""
    stem = module.replace(".", "/")
    places = [
        f"{folder}{stem}{end}" for folder in SOURCE_FOLDERS for end in ("/__init__.py", ".py")
    ]
    for place in places:
        if place in tree.files:
            return place
    known = sorted(path for path in tree.files if path.endswith(".py"))
    raise SignatureError(
        f"no module {module}: neither {stem}.py nor {stem}/__init__.py is in the project"
        " (nor below src/).",
        did_you_mean(f"{stem}.py", known),
    )


def read_signature(tree: Tree, entry: str) -> Signature:
    """Return the signature of the function *entry* ("module:function") of *tree*.

    The module is parsed, never imported. Raises SignatureError if module or function are
    missing, the module is not Python, or the function takes arguments that have no name.
    """
    module, function = split_entry(entry)
    path = module_path(tree, module)
    return _signature(path, _content(tree, path), module, function)


@lru_cache(maxsize=1024)
def _signature(path: str, content: bytes, module: str, function: str) -> Signature:
    body = _parsed(path, content).body
    found = _definition(body, function)
    if found is None:
        raise _undefined(body, path, module, function)
    if isinstance(found, ast.AsyncFunctionDef):
        raise SignatureError(
            f"{function}() in {path}, line {found.lineno}, is async; a stage is called plainly.",
            "Write def instead of async def.",
        )
    return Signature(path, found.lineno, function, _arguments(found, path))


def sql_binds(text: str) -> tuple[str, ...]:
    """Return the names of the bind parameters (``:name``) of an SQL text, each once, in order.

    Colons in texts, quoted names, comments, casts (``::date``) and escaped ones do not count.
    """
    found = (match["bind"] for match in _SQL.finditer(text))
    return tuple(dict.fromkeys(name for name in found if name))


def with_escaped_colons(text: str) -> str:
    """Return the SQL *text* so that SQLAlchemy finds in it the binds of `sql_binds`, no more.

    SQLAlchemy would also take ``:name`` in texts and comments for a bind.
    """

    def escaped(match: re.Match[str]) -> str:
        found = match[0]
        return found if match["bind"] or len(found) <= 2 else found.replace(":", r"\:")

    return _SQL.sub(escaped, text)


def _content(tree: Tree, path: str) -> bytes:
    try:
        return tree.read(path)
    except ProvenoteError as error:
        raise SignatureError(error.message, error.hint) from None


def _parsed(path: str, content: bytes) -> ast.Module:
    try:
        return parse(content, path)
    except SyntaxError as error:
        raise SignatureError(f"{path}, line {error.lineno}: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError):
        raise SignatureError(f"{path} cannot be parsed as Python.") from None


def _definition(body: list[ast.stmt], name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return the last definition of *name* at the top of a module, where `if` may stand too."""
    found: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            found = node
        elif isinstance(node, ast.If | ast.Try):
            branches = [*node.body, *node.orelse]
            found = _definition(branches, name) or found
    return found


def _undefined(body: list[ast.stmt], path: str, module: str, function: str) -> SignatureError:
    for node in body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == function:
                    origin = "." * node.level + (node.module or "")
                    return SignatureError(
                        f"{path} only imports {function}() from {origin} (line {node.lineno}).",
                        "Name the module that defines it.",
                    )
    defined = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    near = did_you_mean(function, defined)
    return SignatureError(
        f"{path} defines no function {function}(); its functions: {listed(defined)}.",
        f"{near} Write {module}:NAME.".strip() if defined else "",
    )


def _arguments(node: ast.FunctionDef, path: str) -> tuple[Argument, ...]:
    spec = node.args
    where = f"{node.name}() in {path}, line {node.lineno},"
    star = f"*{spec.vararg.arg}" if spec.vararg else f"**{spec.kwarg.arg}" if spec.kwarg else ""
    if star:
        raise SignatureError(
            f"{where} takes {star}; a stage is given what its signature names.",
            "Name each input and parameter.",
        )
    if spec.posonlyargs:
        raise SignatureError(
            f"{where} takes {spec.posonlyargs[0].arg} by position only; a stage is given "
            "everything by name.",
            "Leave the / out.",
        )
    required = len(spec.args) - len(spec.defaults)
    plain = [_argument(item, index < required) for index, item in enumerate(spec.args)]
    keyword_only = [
        _argument(item, default is None)
        for item, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
    ]
    return tuple(plain + keyword_only)


def _argument(item: ast.arg, required: bool) -> Argument:
    annotation = ast.unparse(item.annotation) if item.annotation else None
    return Argument(item.arg, annotation, required)
