"""Where an import leads: the search that importlib makes, below one root."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from posixpath import join

from provenance.identity.sources import Directory

_EXTENSIONS = (".so", ".pyd")


@dataclass(frozen=True, slots=True)
class Found:
    """A module: the files that it may be loaded from, and where its submodules are looked for.

    There is more than one file where an extension module lies beside a source: which of them
    is loaded depends on the interpreter. A namespace package has no file.
    """

    files: tuple[str, ...]
    submodules_in: tuple[str, ...]

    @property
    def is_namespace(self) -> bool:
        """Whether this is a directory without ``__init__``."""
        return not self.files


@dataclass
class Resolver:
    """Finds modules in the directories as they are now; remembers them while it lives."""

    directory: Directory
    _listings: dict[str, "_Listing"] = field(default_factory=dict)
    _found: dict[tuple[str, Sequence[str]], Found | None] = field(default_factory=dict)

    def find(self, name: str, roots: Sequence[str]) -> Found | None:
        """Return the module of this dotted *name*, searched along *roots* in their order."""
        if (name, roots) not in self._found:
            parent, _, last = name.rpartition(".")
            places: Sequence[str] = roots
            if parent:
                package = self.find(parent, roots)
                places = package.submodules_in if package else ()
            self._found[name, roots] = self._search(last, places)
        return self._found[name, roots]

    def importable(self, place: str) -> Iterable[str]:
        """Return the names that ``import`` may find directly below the directory *place*."""
        return self._listing(place).importable()

    def _search(self, name: str, places: Iterable[str]) -> Found | None:
        portions = []
        for place in places:
            listing = self._listing(place)
            inside = join(place, name)
            is_directory = name in listing.directories
            if is_directory and (files := self._listing(inside).modules("__init__")):
                return Found(tuple(join(inside, file) for file in files), (inside,))
            if files := listing.modules(name):
                return Found(tuple(join(place, file) for file in files), ())
            if is_directory:
                portions.append(inside)
        return Found((), tuple(portions)) if portions else None

    def _listing(self, place: str) -> "_Listing":
        if place not in self._listings:
            self._listings[place] = _Listing(self.directory.listing(place))
        return self._listings[place]


class _Listing:
    def __init__(self, names: dict[str, bool]) -> None:
        self.directories = {name for name, is_directory in names.items() if is_directory}
        self._files: dict[str, list[str]] = {}
        for name, is_directory in sorted(names.items()):
            if not is_directory and name.endswith((".py", ".pyc", *_EXTENSIONS)):
                self._files.setdefault(name.partition(".")[0], []).append(name)

    def modules(self, name: str) -> list[str]:
        """Return the files that ``import name`` may load from this directory."""
        files = [
            file
            for file in self._files.get(name, ())
            if file == f"{name}.py" or file.endswith(_EXTENSIONS)
        ]
        # Byte code beside no source is imported; beside one, it is passed over.
        return files or [file for file in self._files.get(name, ()) if file == f"{name}.pyc"]

    def importable(self) -> set[str]:
        """Return the names of modules, and of directories that may be packages."""
        return self._files.keys() | self.directories
