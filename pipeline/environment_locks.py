"""What an environment is made of: the file that a manifest names, read and checked.

Everything that can be told without installing anything is refused here, in words of ours.
"""

import hashlib
import platform
import re
import sys
import sysconfig
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.environment_sdk import sdk_digest
from pipeline.repository.tree import MissingFileError, Tree
from provenance.errors import InvalidInputError
from provenance.nearest import listed

PYTHON = platform.python_version()
DEFAULT = "default"
_DEFAULT_LOCK = Path(__file__).with_name("default_environment.txt")
_LOCAL_REQUIREMENT = re.compile(
    rb"^[ \t]*(?:-e\b|--editable\b|\.|/|file:|[^#\n]*@[ \t]*file:).*$", re.M
)
_INCLUDE = re.compile(rb"^[ \t]*(?:-r|-c|--requirement|--constraint)[ \t=]*([^\s#]+)", re.MULTILINE)
_PLACES = ("path", "directory", "editable", "workspace", "virtual")
"""Keys by which uv says that a package lies in a folder."""
_CODE = "Name packages by name and version; code of the project is imported as it is."


class EnvironmentBuildError(InvalidInputError):
    """Raised when a project's environment cannot be built; holds the resolver's words."""

    code = "environment"


@dataclass(frozen=True)
class Lock:
    """What an environment is made of: the file to install from, and what must lie beside it."""

    name: str
    files: tuple[tuple[str, bytes], ...]

    @property
    def key(self) -> str:
        """Digest of the files, the Python version, the platform and the SDK."""
        hasher = hashlib.sha256(b"environment:v1\n")
        parts = [self.name.encode(), sys.version.encode(), sysconfig.get_platform().encode()]
        parts.append(sdk_digest())
        for name, content in self.files:
            parts += [name.encode(), content]
        for part in parts:
            hasher.update(len(part).to_bytes(8, "big") + part)
        return hasher.hexdigest()


def lock_of(tree: Tree, reference: str | None) -> Lock:
    """Return the lock that a manifest names in ``[environment] from``, or the default one.

    Raises MissingFileError, or EnvironmentBuildError for what no environment can be made of.
    """
    if reference is None:
        return Lock(DEFAULT, ((DEFAULT, _DEFAULT_LOCK.read_bytes()),))
    path = PurePosixPath(reference)
    read = _READERS.get("*.txt" if path.suffix == ".txt" else path.name)
    if read is None:
        raise _unknown(reference)
    return Lock(path.name, read(tree, reference))


def advice(reference: str) -> str:
    """Return how to come from another tool's file to one that is read."""
    known = {
        "poetry.lock": "Write it out: `poetry export --output requirements.txt`.",
        "Pipfile": "Write it out: `pipenv requirements > requirements.txt`.",
        "Pipfile.lock": "Write it out: `pipenv requirements > requirements.txt`.",
        "environment.yml": "Environments of conda are not built: name its packages from PyPI.",
        "environment.yaml": "Environments of conda are not built: name its packages from PyPI.",
        "setup.py": "It would have to be executed; name the packages in pyproject.toml.",
        "setup.cfg": "Name the packages in pyproject.toml.",
    }
    return known.get(PurePosixPath(reference).name, "")


def _unknown(reference: str) -> EnvironmentBuildError:
    return EnvironmentBuildError(
        f"[environment] from: found {reference!r}, expected requirements (*.txt), pyproject.toml, "
        "or uv.lock.",
        advice(reference) or "Any tool can write NAME==VERSION lines into a .txt.",
    )


def _requirements(tree: Tree, reference: str) -> tuple[tuple[str, bytes], ...]:
    """Return the file and all that it includes, by their paths from its folder."""
    folder = PurePosixPath(reference).parent
    found: dict[str, bytes] = {}
    waiting = [PurePosixPath(reference).name]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = str(folder / name)
        found[name] = _one_of_requirements(tree, path)
        for line in _INCLUDE.findall(found[name]):
            waiting.append(
                _included(path, PurePosixPath(name).parent, line.decode(errors="replace"))
            )
    return tuple(found.items())


def _one_of_requirements(tree: Tree, path: str) -> bytes:
    content = tree.read(path)
    local = _LOCAL_REQUIREMENT.search(content)
    if local is not None:
        line = local[0].decode(errors="replace").strip()
        raise EnvironmentBuildError(f"{path} installs from a path: {line}", _CODE)
    return content


def _included(path: str, folder: PurePosixPath, line: str) -> str:
    if "://" in line or line.startswith("/") or ".." in PurePosixPath(line).parts:
        raise EnvironmentBuildError(
            f"{path} includes {line}, which is not in its folder.",
            "Include files of the same folder, or write all into one: `uv pip compile`.",
        )
    return str(folder / line)


def _project(tree: Tree, reference: str) -> tuple[tuple[str, bytes], ...]:
    content = tree.read(reference)
    told = _table(reference, content)
    project = told.get("project")
    wanted = project.get("dependencies") if isinstance(project, Mapping) else None
    if not isinstance(project, Mapping) or not isinstance(wanted, list):
        raise _nothing_declared(reference, told)
    _check_python(reference, project.get("requires-python"))
    sources = _inside(told, "tool", "uv", "sources")
    names = [str(one) for one in wanted if re.search(r"@\s*file:", str(one))]
    if found := names + [name for name, source in sources.items() if _is_place(source)]:
        raise EnvironmentBuildError(f"{reference} installs from a path: {listed(found)}.", _CODE)
    return (("pyproject.toml", content),)


def _nothing_declared(reference: str, told: Mapping[str, Any]) -> EnvironmentBuildError:
    if "poetry" in _inside(told, "tool"):
        hint = "Poetry's own table is not read: `poetry export --output requirements.txt`."
    elif "dependencies" in (_inside(told, "project").get("dynamic") or ()):
        hint = "They are `dynamic` there: to know them, code would have to be executed."
    else:
        hint = 'Add dependencies = ["pandas>=2", …] to its [project].'
    return EnvironmentBuildError(f"{reference} has no list `dependencies` in [project].", hint)


def _uv_lock(tree: Tree, reference: str) -> tuple[tuple[str, bytes], ...]:
    beside = str(PurePosixPath(reference).with_name("pyproject.toml"))
    content = tree.read(reference)
    try:
        project = tree.read(beside)
    except MissingFileError as missing:
        raise EnvironmentBuildError(
            f"{missing.message} {reference} is read together with it.",
            f"Commit {beside} beside {reference}, as uv made them.",
        ) from missing
    told = _table(reference, content)
    _check_python(reference, told.get("requires-python"))
    if found := sorted(_from_places(told)):
        raise EnvironmentBuildError(f"{reference} installs from a path: {listed(found)}.", _CODE)
    _table(beside, project)
    return (("uv.lock", content), ("pyproject.toml", project))


def _from_places(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield the packages of a lock that lie in folders; the project itself is not installed."""
    packages = told.get("package")
    for package in packages if isinstance(packages, list) else ():
        source = package.get("source") if isinstance(package, Mapping) else None
        itself = isinstance(source, Mapping) and any(source.get(key) == "." for key in _PLACES)
        if _is_place(source) and not itself:
            yield str(package.get("name"))


def _is_place(source: object) -> bool:
    sources = source if isinstance(source, list) else [source]
    return any(isinstance(one, Mapping) and any(key in one for key in _PLACES) for one in sources)


def _table(reference: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise EnvironmentBuildError(f"{reference} is not valid TOML: {error}.") from None


def _inside(told: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return a table inside of another; an empty one where there is none."""
    for name in names:
        found = told.get(name)
        told = found if isinstance(found, Mapping) else {}
    return told


def _check_python(reference: str, wanted: object) -> None:
    """Raise EnvironmentBuildError where the Python that there is does not fit *wanted*."""
    if wanted is None:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        fits = SpecifierSet(str(wanted)).contains(PYTHON, prereleases=True)
    except InvalidSpecifier:
        raise EnvironmentBuildError(
            f"{reference}: requires-python is {wanted!r}, expected a range such as '>=3.11'."
        ) from None
    if not fits:
        raise EnvironmentBuildError(
            f"{reference} says requires-python = {wanted!r}, and this is Python {PYTHON}.",
            "Environments have the Python that provenote itself runs with: widen the range, or "
            "let a Python that fits run provenote (`make PYTHON=… setup`).",
        )


_READERS: Mapping[str, Callable[[Tree, str], tuple[tuple[str, bytes], ...]]] = {
    "*.txt": _requirements,
    "pyproject.toml": _project,
    "uv.lock": _uv_lock,
}
