"""What one Python file says, without its comments and without running it."""

import ast
import hashlib
import sys
import warnings
from dataclasses import dataclass

from provenance.identity.dynamic import ImportReader, ImportReference, exported_names
from provenance.identity.literals import DataReferences, data_references
from provenance.parsing import parse

_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Syntax trees differ between feature versions, so their hashes name the one that made them."""


NO_DATA = DataReferences()


@dataclass(frozen=True, slots=True)
class PythonFacts:
    """One source's semantic hash, imports, open sites (line, what) and literals for files.

    ``exported`` is what ``__all__`` lists, None where it is computed. ``semantic`` is None
    where the source cannot be parsed.
    """

    semantic: str | None
    references: tuple[ImportReference, ...] = ()
    open_sites: tuple[tuple[int, str], ...] = ()
    data: DataReferences = NO_DATA
    exported: tuple[str, ...] | None = ()


def read_python(source: bytes) -> PythonFacts:
    """Read the syntax tree of *source*.

    A source that cannot be parsed is an open site: another Python than this one may be able
    to run it, and what it imports then is not known.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parse(source)
        return _facts(tree)
    except SyntaxError as error:
        return _unreadable(error.lineno or 1, error.msg)
    except (ValueError, RecursionError, MemoryError) as error:
        return _unreadable(1, str(error) or type(error).__name__)


def _facts(tree: ast.Module) -> PythonFacts:
    nodes = list(ast.walk(tree))
    imports = ImportReader()
    imports.read(tree, nodes)
    dump = ast.dump(tree, annotate_fields=False, include_attributes=False)
    return PythonFacts(
        semantic=hashlib.sha256(f"semantic:v1\npython {_VERSION}\n{dump}".encode()).hexdigest(),
        references=tuple(dict.fromkeys(imports.references)),
        open_sites=tuple(sorted(set(imports.open_sites))),
        data=data_references(tree, nodes),
        exported=exported_names(nodes),
    )


def _unreadable(line: int, message: str) -> PythonFacts:
    return PythonFacts(None, open_sites=((line, f"Python {_VERSION} cannot parse it: {message}"),))
