"""Which modules a waiting kernel has imported before anybody needs it.

Only what is installed in the environment: modules of the repository differ from commit to commit,
and a kernel that waits serves all of them.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.magics import plain_python
from pipeline.manifest_parts.models import Manifest
from pipeline.repository.checkout import Checkout
from pipeline.repository.tree import Tree
from pipeline.stages.signature import SEARCH
from pipeline.templates import BUILTIN, Template, read_template
from provenance.errors import InvalidInputError, ProvenoteError
from provenance.identity.environment import EnvironmentFacts
from provenance.nearest import did_you_mean_or_all, listed
from provenance.parsing import parse

_PYTHON = ("python", "ipython")


class PreloadError(InvalidInputError):
    """Raised when a manifest asks to preload what its environment does not have."""

    code = "preload"


def preload_at(checkout: Checkout, manifest: Manifest, facts: EnvironmentFacts) -> tuple[str, ...]:
    """Return what `preload_of` does, of a checkout; of a commit it is looked for once.

    Each run asks, and there may be hundreds of notebooks to look through. Raises PreloadError.
    """
    if checkout.dirty is not None:
        return preload_of(checkout.tree, manifest, facts)
    of_commit = str(checkout.root), checkout.commit.sha, facts.digest
    return _preload_known(_Known(of_commit, checkout.tree, manifest, facts))


@dataclass(frozen=True)
class _Known:
    of_commit: tuple[str, str, str]
    """What tells one from another: where it lies, its hash, the packages that there are."""
    tree: Tree = field(compare=False)
    manifest: Manifest = field(compare=False)
    facts: EnvironmentFacts = field(compare=False)


@lru_cache(maxsize=64)
def _preload_known(known: _Known) -> tuple[str, ...]:
    return preload_of(known.tree, known.manifest, known.facts)


def preload_of(tree: Tree, manifest: Manifest, facts: EnvironmentFacts) -> tuple[str, ...]:
    """Return the modules that kernels of a project have imported while they wait, sorted.

    They are what ``[environment] preload`` lists. Left out: what the project's Python notebooks
    import of packages that are installed, by the names that they use, so that all kernels of a
    project are alike. A notebook that cannot be read has no say; its own run tells what is wrong.
    Raises PreloadError for a listed module of which the environment has no package.
    """
    if manifest.environment.preload is not None:
        return _listed(manifest.environment.preload, facts)
    found: set[str] = set()
    for template in _templates(tree, manifest):
        own = _of_repository(tree, template)
        sources = tuple(cell.source for cell in template.cells if cell.kind == "code")
        found |= {name for name in _imported(sources) if name.partition(".")[0] not in own}
    brought = _modules(facts)
    return tuple(sorted(name for name in found if name.partition(".")[0] in brought))


def _listed(names: Iterable[str], facts: EnvironmentFacts) -> tuple[str, ...]:
    known = _modules(facts) | sys.stdlib_module_names
    unknown = [name for name in names if name.partition(".")[0] not in known]
    if unknown:
        hint = did_you_mean_or_all(unknown[0].partition(".")[0], sorted(_modules(facts)))
        told = f"[environment] preload: {listed(unknown)}: not installed in the environment."
        raise PreloadError(told, f"{hint} Modules of the project itself cannot be preloaded.")
    return tuple(sorted(set(names)))


def _modules(facts: EnvironmentFacts) -> frozenset[str]:
    return frozenset(name for found in facts.distributions for name in found.modules)


def _templates(tree: Tree, manifest: Manifest) -> Iterator[Template]:
    """Yield the Python notebooks of a project, its reports' and its stages', each once."""
    of_reports = (report.template for report in manifest.reports.values())
    of_stages = (stage.notebook for stage in manifest.stages.values() if stage.notebook)
    for reference in dict.fromkeys((*of_reports, *of_stages)):
        try:
            template = read_template(tree, reference)
        except ProvenoteError:
            continue
        if template.language in _PYTHON:
            yield template


def _of_repository(tree: Tree, template: Template) -> frozenset[str]:
    """Return the top-level names that the repository itself has, where the notebook looks."""
    own = () if template.path.startswith(BUILTIN) else (template.path.rpartition("/")[0],)
    folders = dict.fromkeys((*own, *SEARCH))
    found: set[str] = set()
    for folder in folders:
        start = f"{folder}/" if folder else ""
        inside = (path[len(start) :] for path in tree.files if path.startswith(start))
        found |= {path.partition("/")[0].partition(".")[0] for path in inside}
    return frozenset(found)


@lru_cache(maxsize=128)
def _imported(sources: tuple[str, ...]) -> frozenset[str]:
    """Return the modules that cells import, as they name them; relative ones have no say."""
    found: set[str] = set()
    for source in sources:
        try:
            tree = parse(plain_python(source))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    return frozenset(found)
