"""``provenote.toml``, read as data: no code of the project is ever executed for it."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path as PathOnDisk
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.manifest_parts.checks import Broken, check_manifest
from pipeline.manifest_parts.data import PublishSpec
from pipeline.manifest_parts.limits import LimitsSpec
from pipeline.manifest_parts.models import (
    SECTIONS,
    EnvironmentSpec,
    Manifest,
    OnSpec,
    ParameterSpec,
    ProjectSpec,
    PushSpec,
    ReportSpec,
    Section,
    SourceSpec,
    StageSpec,
    split_reference,
)
from pipeline.manifest_parts.problems import (
    MANIFEST,
    ManifestError,
    Path,
    Problem,
    Problems,
    lines_of,
)
from pipeline.manifest_parts.spec import kind_of
from pipeline.repository.checkout import Checkout
from pipeline.repository.tree import Tree
from provenance.errors import ProvenoteError
from provenance.nearest import did_you_mean, did_you_mean_or_all, listed, shown

__all__ = [
    "MANIFEST",
    "EnvironmentSpec",
    "Manifest",
    "ManifestError",
    "OnSpec",
    "ParameterSpec",
    "Problem",
    "PushSpec",
    "ReportSpec",
    "SourceSpec",
    "StageSpec",
    "manifest_of",
    "read_manifest",
    "split_reference",
]

_QUOTED = re.compile(r'"[^"\n]*"|\'[^\'\n]*\'|#.*')
_MOST_DOTS = 200
MAX_BYTES = 1024 * 1024

_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_EXPECTED = {
    "string_type": "a text in quotes",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "tuple_type": "a list",
    "float_type": "a number",
}
_INSTEAD = {
    ("sources", "url"): "Addresses are the operator's: name the variable that holds it, url_env.",
    ("reports", "schedule"): "Schedules are not part of this version.",
    ("reports", "schedules"): "Schedules are not part of this version.",
}


def manifest_of(checkout: Checkout) -> Manifest:
    """Return the manifest of a commit that is laid out; it is read once, a commit never changes.

    Raises ManifestError.
    """
    return _manifest_at(_Laid(checkout.root, checkout.commit.sha, checkout.tree))


@dataclass(frozen=True)
class _Laid:
    root: PathOnDisk
    sha: str
    tree: Tree = field(compare=False)


@lru_cache(maxsize=64)
def _manifest_at(laid: _Laid) -> Manifest:
    return read_manifest(laid.tree)


def read_manifest(tree: Tree) -> Manifest:
    """Return the manifest of *tree*, checked against all files that it names.

    Raises ManifestError with every problem at once, each with its line, what was found and
    expected, and the nearest valid name.
    """
    text = _text(tree)
    document = _parsed(text)
    problems = Problems(lines_of(text))
    manifest, broken = _validated(document, problems)
    check_manifest(tree, manifest, broken, problems)
    problems.raise_any()
    return manifest


def _text(tree: Tree) -> str:
    if MANIFEST not in tree.files:
        hint = "`provenote init` makes one."
        raise ManifestError([Problem(MANIFEST, "there is none at the root of the project.", hint)])
    try:
        content = tree.read(MANIFEST)
        if len(content) > MAX_BYTES:
            raise ManifestError([Problem(MANIFEST, f"larger than {MAX_BYTES // 1024} KiB.")])
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ManifestError([Problem(f"{MANIFEST}:{line}", "not UTF-8.")]) from None
    except ManifestError:
        raise
    except ProvenoteError as error:
        raise ManifestError([Problem(MANIFEST, error.message, error.hint)]) from None


def _parsed(text: str) -> dict[str, Any]:
    for number, written in enumerate(text.splitlines(), start=1):
        # Each dot of a key is a table in a table: many of them would fill the memory.
        if _QUOTED.sub("", written).count(".") > _MOST_DOTS:
            raise ManifestError([Problem(f"{MANIFEST}:{number}", "a key with too many dots.")])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _LINE.search(message)
        line = place[1] if place else text.count("\n") + 1
        reason = _LINE.sub(rf" (column {place[2]})", message) if place else message
        raise ManifestError(
            [Problem(f"{MANIFEST}:{line}", f"not valid TOML: {reason}.", _taught(message))]
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise ManifestError([Problem(MANIFEST, "not valid TOML: too large a value.")]) from None


def _taught(message: str) -> str:
    if message.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate")):
        return "A name can be declared only once."
    return ""


def _validated(document: dict[str, Any], problems: Problems) -> tuple[Manifest, Broken]:
    """Return what is valid of *document*, and what is declared but is not valid."""
    known = ("project", "environment", "limits", *SECTIONS)
    for name in document:
        if name not in known:
            hint = did_you_mean_or_all(name, known)
            problems.add((name,), "unknown table or key.", hint)
    project = _project(document, problems)
    found = _model(EnvironmentSpec, document.get("environment", {}), ("environment",), problems)
    environment = found if isinstance(found, EnvironmentSpec) else EnvironmentSpec()
    found = _model(LimitsSpec, document.get("limits", {}), ("limits",), problems)
    limits = found if isinstance(found, LimitsSpec) else LimitsSpec()
    valid: dict[Section, dict[str, Any]] = {}
    broken: set[tuple[Section, str]] = set()
    for section, kind in SECTIONS.items():
        valid[section] = {}
        for name, raw in _tables(document, section, problems).items():
            spec = _model(kind, raw, (section, name), problems)
            if spec is None:
                broken.add((section, name))
            else:
                valid[section][name] = spec
    whole = Manifest(name=project, environment=environment, limits=limits, **valid)
    return whole, frozenset(broken)


def _project(document: dict[str, Any], problems: Problems) -> str:
    if "project" not in document:
        problems.add((), "[project] with a name is missing.", 'Add: [project] name = "…".')
        return ""
    found = _model(ProjectSpec, document["project"], ("project",), problems)
    return found.name if isinstance(found, ProjectSpec) else ""


def _tables(document: dict[str, Any], section: Section, problems: Problems) -> Mapping[str, Any]:
    found = document.get(section, {})
    if isinstance(found, dict):
        return found
    problems.add((section,), f"found {kind_of(found)}, expected tables like [{section}.NAME].")
    return {}


def _model(kind: type[BaseModel], raw: object, path: Path, problems: Problems) -> BaseModel | None:
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _report(kind, path, detail, problems)
        return None


def _report(kind: type[BaseModel], path: Path, detail: ErrorDetails, problems: Problems) -> None:
    place: Path = (*path, *detail["loc"])
    found, name = detail["input"], detail["type"]
    if name == "extra_forbidden":
        problems.add(place, *_unknown_key(kind, path, detail["loc"]))
    elif name == "missing":
        problems.add(place, f"{detail['loc'][-1]} is missing.")
    elif name == "wrong":
        context = detail["ctx"]
        problems.add(place, f"{context['text']}.", context["hint"])
    elif name in _EXPECTED:
        seen = f"{shown(found)} ({kind_of(found)})"
        problems.add(place, f"found {seen}, expected {_EXPECTED[name]}.")
    else:
        problems.add(place, f"{detail['msg']}.")


def _unknown_key(
    kind: type[BaseModel], path: Path, location: tuple[int | str, ...]
) -> tuple[str, str]:
    key = str(location[-1])
    inside = tuple(part for part in location[:-1] if isinstance(part, str))
    nested: dict[tuple[str, ...], type[BaseModel]] = {
        ("on",): OnSpec,
        ("on", "push"): PushSpec,
        ("publish",): PublishSpec,
        ("limits",): LimitsSpec,
    }
    model = nested.get(inside, kind)
    known = [field.alias or name for name, field in model.model_fields.items()]
    instead = _INSTEAD.get((str(path[0]), key), "") if not inside else ""
    hint = instead or did_you_mean(key, known)
    return f"unknown key {shown(key)}; known are: {listed(known)}.", hint
