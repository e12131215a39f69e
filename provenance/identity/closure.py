"""The module closure: every file of the project that a piece of Python code stands on.

From the entry, imports are followed as importlib would follow them in a child process whose
``sys.path`` begins with the search roots. Where code decides only at run time what it imports,
the closure is open: it takes in every tracked file and says which lines made it so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, join

from provenance.errors import NotFoundError
from provenance.identity.dynamic import ImportReference
from provenance.identity.resolve import Found
from provenance.identity.sources import FileFacts
from provenance.identity.survey import REMEMBERED, Roots, Survey
from provenance.identity.syntax import PythonFacts, read_python

Packages = tuple[tuple[str, ...], ...]


class MissingSourceError(NotFoundError):
    """Raised when the file that a closure starts from does not exist."""

    code = "missing_source"


@dataclass(frozen=True)
class SourceFile:
    """A file with the SHA-256 of its bytes, and that of its meaning.

    ``semantic`` ignores comments and white space in Python sources; for anything else, for
    sources that cannot be parsed and for those that are read as data it equals ``exact``.
    """

    path: str
    exact: str
    semantic: str


@dataclass(frozen=True)
class OpenSite:
    """A line from which on it cannot be told what is imported."""

    path: str
    line: int
    what: str


@dataclass(frozen=True)
class Closure:
    """The files that code stands on, by path; ``imports`` are names from outside the project.

    With any ``open_sites``, ``files`` holds all tracked files. ``programs`` are interpreters
    that a command's arguments and scripts start, as they call them.
    """

    files: tuple[SourceFile, ...]
    open_sites: tuple[OpenSite, ...]
    imports: frozenset[str]
    programs: frozenset[str] = frozenset()


def python_closure(
    root: Path,
    tracked: frozenset[str],
    entry: str,
    search: Sequence[str] = ("",),
    facts: FileFacts = REMEMBERED,
) -> Closure:
    """Return the closure of the module file *entry* below *root*.

    *tracked* are the project's files, all paths relative to *root*; *search* are the
    directories that ``sys.path`` begins with. Raises MissingSourceError, and OutsideLinkError
    where a link leads out of *root*.
    """
    return module_closure(Survey(root, tracked, facts), entry, search)


def module_closure(survey: Survey, entry: str, search: Sequence[str] = ("",)) -> Closure:
    """Return what ``python_closure`` does, as *survey* sees the project."""
    walk = _Walk(survey, search)
    if not walk.enter(entry):
        raise MissingSourceError(
            f"{entry} is not in the project.", "Expected the path of a Python module file."
        )
    return walk.closure()


def source_closure(
    root: Path,
    tracked: frozenset[str],
    sources: Sequence[tuple[str, str]],
    search: Sequence[str] = ("",),
    facts: FileFacts = REMEMBERED,
) -> Closure:
    """Return the closure of Python *sources*, pairs of name and text, that are no modules.

    The sources are the cells of a notebook; their names appear in open sites. Their own text
    is not part of the closure.
    """
    return cells_closure(Survey(root, tracked, facts), sources, search)


def cells_closure(
    survey: Survey, sources: Sequence[tuple[str, str]], search: Sequence[str] = ("",)
) -> Closure:
    """Return what ``source_closure`` does, as *survey* sees the project."""
    walk = _Walk(survey, search)
    for name, text in sources:
        walk.follow(name, read_python(text.encode("utf-8", "surrogatepass")), walk.roots)
    return walk.closure()


class _Walk:
    def __init__(self, survey: Survey, search: Sequence[str]) -> None:
        self.roots = survey.roots(search)
        self._survey = survey
        self._directory = survey.directory
        self._tracked = survey.tracked
        self._resolver = survey.resolver
        self._files: dict[str, SourceFile] = {}
        self._as_data: set[str] = set()
        self._seen: set[tuple[str, Roots]] = set()
        self._reached: set[tuple[str, Roots]] = set()
        self._followed: set[tuple[ImportReference, Packages, Roots]] = set()
        self._waiting: list[tuple[str, PythonFacts, Roots]] = []
        self._open: set[OpenSite] = set()
        self._imports: set[str] = set()

    def enter(self, path: str) -> bool:
        """Start from a module file; False where it does not exist."""
        outside = not self._packages(path, self.roots)
        roots = (dirname(path), *self.roots) if outside else self.roots
        if not self._add(path, roots):
            return False
        self._add_parents(path, roots)
        return True

    def follow(self, path: str, facts: PythonFacts, roots: Roots) -> None:
        """Take in all that the source *path* imports or names."""
        self._open.update(OpenSite(path, line, what) for line, what in facts.open_sites)
        packages = self._packages(path, roots)
        for reference in facts.references:
            # Many sources of a package import the same things: this is the innermost loop.
            known = (reference, packages if reference.level else (), roots)
            if known not in self._followed:
                self._followed.add(known)
                self._import(reference, packages, roots)
        for name in facts.data.names:
            self._add_data(self._tracked.ending(name), roots)
        for name in facts.data.paths:
            self._add_data(self._tracked.meant_by(name), roots)
        for name in facts.data.anchored:
            self._add_data(self._tracked.at(join(dirname(path), name)), roots)

    def closure(self) -> Closure:
        """Follow everything to its end."""
        self._add_shadows()
        self._drain()
        sites = sorted(self._open, key=lambda site: (site.path, site.line, site.what))
        if sites:
            for path in self._tracked.paths:
                self._add(path, self.roots)
            self._drain()
        files = tuple(self._files[path] for path in sorted(self._files))
        return Closure(files, tuple(sites), frozenset(self._imports))

    def _drain(self) -> None:
        while self._waiting:
            self.follow(*self._waiting.pop())

    def _add_shadows(self) -> None:
        """Add modules named as in the standard library: any library may import them instead."""
        for root in self.roots:
            for name in self._survey.shadows(root):
                found = self._resolver.find(name, self.roots)
                if found is not None and not found.is_namespace:
                    self._reach(name, self.roots)

    def _add(self, path: str, roots: Roots) -> bool:
        if (path, roots) in self._seen:
            return path in self._files
        self._seen.add((path, roots))
        if not path.endswith(".py"):
            exact = self._directory.exact(path)
            if exact is not None:
                self._files[path] = SourceFile(path, exact, exact)
            return exact is not None
        source = self._directory.python(path)
        if source is None:
            return False
        exact, facts = source
        semantic = exact if path in self._as_data else facts.semantic or exact
        self._files[path] = SourceFile(path, exact, semantic)
        self._waiting.append((path, facts, roots))
        return True

    def _add_data(self, paths: Sequence[str], roots: Roots) -> None:
        """Add files named by literals; a Python source among them may be read or executed."""
        for path in paths:
            if not path.endswith(".py"):
                self._add(path, roots)
            elif path not in self._as_data:
                self._as_data.add(path)
                # A script finds its neighbours first.
                self._add(path, (dirname(path), *self.roots))
                if (known := self._files.get(path)) is not None:
                    self._files[path] = SourceFile(path, known.exact, known.exact)

    def _add_parents(self, path: str, roots: Roots) -> None:
        stem = path.removesuffix(".py").rpartition("/")[2]
        for package in self._packages(path, roots):
            self._reach(".".join([*package, stem]), roots)

    def _packages(self, path: str, roots: Roots) -> Packages:
        """Return the packages that the file *path* may belong to, one for each root above it."""
        folder = dirname(path)
        found = []
        for root in roots:
            if not root or folder == root or folder.startswith(f"{root}/"):
                inside = folder[len(root) :].strip("/")
                found.append(tuple(inside.split("/")) if inside else ())
        return tuple(found)

    def _import(self, reference: ImportReference, packages: Packages, roots: Roots) -> None:
        if reference.level == 0:
            self._reach_names(reference.module, reference.names, roots)
            return
        for package in packages:
            kept = len(package) - reference.level + 1
            if kept > 0:
                name = ".".join([*package[:kept], *filter(None, [reference.module])])
                self._reach_names(name, reference.names, roots)

    def _reach_names(self, module: str, names: Sequence[str], roots: Roots) -> None:
        found = self._reach(module, roots)
        if found is None or not found.submodules_in:
            return
        wanted = self._exported(found) if "*" in names else names
        for name in wanted:
            if self._resolver.find(f"{module}.{name}", roots) is not None:
                self._reach(f"{module}.{name}", roots)

    def _reach(self, module: str, roots: Roots) -> Found | None:
        """Add a module and the packages around it; return None where it lies outside."""
        if (module, roots) in self._reached:
            return self._resolver.find(module, roots)
        self._reached.add((module, roots))
        parts = module.split(".")
        found: Found | None = None
        for length in range(1, len(parts) + 1):
            found = self._resolver.find(".".join(parts[:length]), roots)
            # An installed package of this name comes before a directory without __init__.
            if length == 1 and (found is None or found.is_namespace):
                self._imports.add(parts[0])
            if found is None:
                return None
            for path in found.files:
                self._add(path, roots)
        return found

    def _exported(self, package: Found) -> set[str]:
        """Return the submodules that ``from package import *`` may load."""
        names: set[str] = set()
        for path in package.files:
            source = self._directory.python(path) if path.endswith(".py") else None
            exported = source[1].exported if source is not None else None
            if exported is None:
                for place in package.submodules_in:
                    names |= set(self._resolver.importable(place)) - {"__init__"}
            else:
                names |= set(exported)
        return names
