"""A stage that leaves more and more bytes, and a report that reads them."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tests.bench.figures import BYTES, Figure, Table, told
from tests.bench.folders import notebook, repository
from tests.bench.growth.repeating import repeated
from tests.bench.place import Place
from tests.bench.runs import ledger_seconds
from tests.bench.service import serving

_SIZES = (1_000, 100_000, 10_000_000, 100_000_000)
_MANIFEST = """[project]
name = "bench"
[params.size]
type = "int"
default = 1000
[params.salt]
type = "int"
default = 0
[stages.blob]
python = "stages.blob:build"
[reports.blob]
template = "blob.ipynb"
inputs = { blob = "blob" }
"""
_STAGE = """def build(size: int, salt: int) -> bytes:
    return salt.to_bytes(8, "big") * (size // 8)
"""
_WORDS = (
    "A stage returns so many bytes, which are kept, laid down for a report, and read by its cell; "
    "accepted to finished, through the service."
)


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the table."""
    project, salts = _make_project(place.new("growth-outputs")), count(1)
    with serving(place.new("more-bytes"), place.environments, project) as service:
        client = service.client()

        def asked(size: int) -> float:
            params = {"size": size, "salt": next(salts)}
            return ledger_seconds(client.finished("blob", params))

        asked(_SIZES[0])
        figures = [
            Figure.of(told(size, BYTES), repeated(lambda: asked(size)))  # noqa: B023
            for size in _SIZES
        ]
    yield Table("k", "As outputs grow", tuple(figures), (), _WORDS)


def _make_project(folder: Path) -> Path:
    files = {
        "provenote.toml": _MANIFEST,
        "stages/__init__.py": "",
        "stages/blob.py": _STAGE,
        "blob.ipynb": notebook([("parameters", "blob = None"), (None, _READ)]),
    }
    return repository(folder, files)


_READ = "with open(blob, 'rb') as file:\n    print(len(file.read()))"
