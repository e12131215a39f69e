import os
from pathlib import Path

import pytest

from provenance.identity.closure import Closure, python_closure, source_closure
from provenance.identity.key import Preimage, Reason, why

ENTRY = "stages/features.py"


class Project:
    """A directory of real files, seen as a project in which all of them are tracked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.untracked: set[str] = set()

    def put(self, path: str, content: str | bytes = "") -> Path:
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(content.encode() if isinstance(content, str) else content)
        return full

    def touch(self) -> None:
        """Give every tracked file another mtime."""
        for path in self.tracked:
            os.utime(self.root / path, ns=(1, 1))

    def edit_unseen(self, path: str, content: str) -> None:
        """Give a file other content of the same size, and put its mtime back."""
        file = self.root / path
        before = file.stat()
        self.put(path, content)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert file.stat().st_size == before.st_size
        assert file.stat().st_mtime_ns == before.st_mtime_ns

    @property
    def tracked(self) -> frozenset[str]:
        found = (path.relative_to(self.root).as_posix() for path in self.root.rglob("*"))
        return frozenset(
            path for path in found if (self.root / path).is_file() and path not in self.untracked
        )

    def closure(self, entry: str = ENTRY, search: tuple[str, ...] = ("",)) -> Closure:
        return python_closure(self.root, self.tracked, entry, search)

    def of_sources(self, *sources: str, search: tuple[str, ...] = ("",)) -> Closure:
        named = [(f"reports/r.ipynb cell {number}", text) for number, text in enumerate(sources, 1)]
        return source_closure(self.root, self.tracked, named, search)

    def paths(self, entry: str = ENTRY) -> set[str]:
        return {file.path for file in self.closure(entry).files}

    def preimage(self, entry: str = ENTRY) -> Preimage:
        files = {file.path: file.semantic for file in self.closure(entry).files}
        return Preimage("python", "features", {"files": files}, {}, {}, ("output",), {})

    def reason(self, before: Preimage) -> Reason:
        """Why the stage is made again after what happened since *before*."""
        after = self.preimage()
        reason = why(before, after)
        assert (reason.code == "same") == (before.key == after.key)
        return reason


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")
