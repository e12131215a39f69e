"""Which modules one Python source imports, and where it imports what only running it can tell."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from provenance.parsing import parse

_IMPORTERS = {"importlib.import_module", "importlib.__import__", "builtins.__import__"}
_IMPORTERS |= {"importlib.util.find_spec"}
_RESOURCE_READERS = ("importlib.resources.", "importlib_resources.", "pkgutil.get_data")
_EVALUATORS = {"builtins.exec", "builtins.eval"}
_BUILTINS = {"exec", "eval", "__import__"}
_OPEN = {
    "importlib.machinery.ExtensionFileLoader": "a module is loaded from a file",
    "importlib.machinery.SourceFileLoader": "a module is loaded from a file",
    "importlib.util.module_from_spec": "a module is loaded from a file",
    "importlib.util.spec_from_file_location": "a module is loaded from a file",
    "imp.find_module": "a module is loaded from a file",
    "imp.load_module": "a module is loaded from a file",
    "imp.load_source": "a module is loaded from a file",
    "zipimport.zipimporter": "a module is loaded from a file",
    "pydoc.importfile": "a module is loaded from a file",
    "pydoc.locate": "a module is looked up by name",
    "pkgutil.resolve_name": "a module is looked up by name",
    "werkzeug.utils.import_string": "a module is looked up by name",
    "django.utils.module_loading.import_string": "a module is looked up by name",
    "hydra.utils.get_class": "a module is looked up by name",
    "hydra.utils.get_method": "a module is looked up by name",
    "hydra.utils.instantiate": "a module is looked up by name",
    "importlib.metadata.entry_points": "entry points are looked up",
    "importlib_metadata.entry_points": "entry points are looked up",
    "pkg_resources.iter_entry_points": "entry points are looked up",
    "pkg_resources.load_entry_point": "entry points are looked up",
    "pkgutil.extend_path": "a package's path is changed",
    "pkgutil.iter_modules": "modules are listed",
    "pkgutil.walk_packages": "modules are listed",
    "runpy.run_module": "runpy executes a module",
    "runpy.run_path": "runpy executes a file",
    "site.addsitedir": "sys.path is changed",
    "sys.meta_path": "the import system is changed",
    "sys.path": "sys.path is used",
    "sys.path_hooks": "the import system is changed",
    "__builtins__": "__builtins__ is used",
    "__path__": "a package's path is used",
    # A module handed on whole: which of its functions is called cannot be seen.
    "builtins": "builtins is handed on",
    "importlib": "importlib is handed on",
    "pkgutil": "pkgutil is handed on",
    "runpy": "runpy is handed on",
}
_OPEN |= {name: f"{name.rpartition('.')[2]} is handed on" for name in _IMPORTERS | _EVALUATORS}
_MODULES = {"builtins", "importlib", "pkgutil", "runpy"}


class ImportReference(NamedTuple):
    """``from <level dots><module> import <names>``; without names, ``import <module>``."""

    module: str
    level: int = 0
    names: tuple[str, ...] = ()


@dataclass
class ImportReader(ast.NodeVisitor):
    """Collects the imports of a syntax tree, at any depth, and its open sites.

    Names are followed through ``import … as``; a function that imports, handed on without
    being called, is an open site, and so is a call whose module is not a literal.
    """

    references: list[ImportReference] = field(default_factory=list)
    open_sites: list[tuple[int, str]] = field(default_factory=list)
    _aliases: dict[str, str] = field(default_factory=dict)
    _line: int | None = None

    def read(self, tree: ast.Module, nodes: Iterable[ast.AST]) -> None:
        """Collect from *tree* and all its *nodes*; imports may stand below their use."""
        for node in nodes:
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom):
                self._import_from(node)
        self.visit(tree)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.references.append(ImportReference(alias.name))
            if alias.asname:
                self._aliases[alias.asname] = alias.name
            else:
                top = alias.name.partition(".")[0]
                self._aliases[top] = top

    def _import_from(self, node: ast.ImportFrom) -> None:
        names = tuple(alias.name for alias in node.names)
        self.references.append(ImportReference(node.module or "", node.level, names))
        for alias in node.names:
            if node.level == 0:
                self._aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            # `from importlib import *` brings import_module under its own name.
            if alias.name == "*" and node.module in ("importlib", "runpy", "pkgutil", "sys"):
                self._open(node, f"everything of {node.module} is imported")

    def visit_Name(self, node: ast.Name) -> None:
        """Note a bare name that stands for something that imports."""
        self._flag(node, self._dotted(node))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note ``module.name`` where it stands for something that imports."""
        # `importlib` before a dot is not handed on: what counts is the name behind it.
        if not self._flag(node, self._dotted(node)) and self._dotted(node.value) not in _MODULES:
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        """Resolve calls that import a literal; the others are open."""
        dotted = self._dotted(node.func)
        if dotted in _IMPORTERS:
            self._importer(node, dotted)
        elif dotted in _EVALUATORS:
            self._evaluator(node, dotted)
        else:
            self._resource(node, dotted or "")
            self._ipython(node)
            self.visit(node.func)
        for child in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.visit(child)

    def _importer(self, node: ast.Call, dotted: str) -> None:
        name = literal(_argument(node, 0, "name"))
        if name is None:
            self._open(node, f"{dotted.rpartition('.')[2]}() of a name known only at run time")
        elif dotted.endswith("__import__"):
            self._dunder_import(node, name)
        else:
            self._import_module(node, name)

    def _resource(self, node: ast.Call, dotted: str) -> None:
        """Reading a package's resource imports the package."""
        if dotted.startswith(_RESOURCE_READERS) and node.args:
            package = literal(node.args[0])
            if package is not None:
                self.references.append(ImportReference(package))

    def _import_module(self, node: ast.Call, name: str) -> None:
        module = name.lstrip(".")
        level = len(name) - len(module)
        package = _argument(node, 1, "package")
        if level == 0 or (isinstance(package, ast.Name) and package.id == "__package__"):
            self.references.append(ImportReference(module, level))
        elif (base := literal(package)) is not None:
            parts = base.split(".")
            kept = parts[: len(parts) - level + 1]
            self.references.append(ImportReference(".".join([*kept, module])))
        elif isinstance(package, ast.Name) and package.id == "__name__":
            # Right only in an __init__.py, where the package is the module itself.
            self.references.append(ImportReference(module, level))
        else:
            self._open(node, "import_module() relative to a package known only at run time")

    def _dunder_import(self, node: ast.Call, name: str) -> None:
        names = _argument(node, 3, "fromlist")
        level = _argument(node, 4, "level")
        plain = names is None or (
            isinstance(names, ast.List | ast.Tuple) and all(literal(n) for n in names.elts)
        )
        if not plain or not (level is None or isinstance(level, ast.Constant)):
            self._open(node, "__import__() with arguments known only at run time")
            return
        found = tuple(filter(None, map(literal, getattr(names, "elts", ()))))
        depth = level.value if isinstance(level, ast.Constant) else 0
        depth = depth if isinstance(depth, int) else 0
        self.references.append(ImportReference(name, depth, found))

    def _evaluator(self, node: ast.Call, dotted: str) -> None:
        source = literal(node.args[0]) if node.args else None
        name = dotted.rpartition(".")[2]
        try:
            tree = parse(source.strip()) if source is not None else None
        except (SyntaxError, ValueError):
            tree = None
        if tree is None:
            self._open(node, f"{name}() of code known only at run time")
            return
        outer, self._line = self._line, node.lineno
        self.read(tree, list(ast.walk(tree)))
        self._line = outer

    def _ipython(self, node: ast.Call) -> None:
        if not (isinstance(node.func, ast.Attribute) and node.func.attr == "run_line_magic"):
            return
        magic, line = literal(_argument(node, 0, "magic_name")), literal(_argument(node, 1, "line"))
        if magic in ("run", "load_ext", "reload_ext") and (not line or set(line) & set("{$")):
            self._open(node, f"%{magic} of something known only at run time")
        elif magic in ("load_ext", "reload_ext") and line:
            self.references.append(ImportReference(line.strip()))
        elif magic == "run" and line and line.split()[0] == "-m":
            self._open(node, "%run -m executes a module")

    def _dotted(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            fallback = f"builtins.{node.id}" if node.id in _BUILTINS else node.id
            return self._aliases.get(node.id, fallback)
        if isinstance(node, ast.Attribute):
            base = self._dotted(node.value)
            return None if base is None else f"{base}.{node.attr}"
        return None

    def _flag(self, node: ast.expr, dotted: str | None) -> bool:
        if dotted not in _OPEN:
            return False
        # `runpy` as a variable of the user's own is no module.
        if dotted in _MODULES and isinstance(node, ast.Name) and node.id not in self._aliases:
            return False
        self._open(node, _OPEN[dotted])
        return True

    def _open(self, node: ast.expr | ast.stmt, what: str) -> None:
        self.open_sites.append((self._line or node.lineno, what))


def literal(node: ast.expr | None) -> str | None:
    """Return the text of a string literal, or None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def exported_names(nodes: Iterable[ast.AST]) -> tuple[str, ...] | None:
    """Return what ``__all__`` lists, none where it is not set; None where it is computed."""
    names: list[str] = []
    for value in _assigned_to_all(nodes):
        if not isinstance(value, ast.List | ast.Tuple):
            return None
        for element in value.elts:
            name = literal(element)
            if name is None:
                return None
            names.append(name)
    return tuple(names)


def _assigned_to_all(nodes: Iterable[ast.AST]) -> Iterator[ast.expr | None]:
    for node in nodes:
        if isinstance(node, ast.Name) and node.id == "__all__" and isinstance(node.ctx, ast.Load):
            yield None
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            yield getattr(node, "value", None)


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[position] if position < len(call.args) else None
