"""In whatever way a run leaves its files open, a forked kernel writes them to their end."""

import gzip
import tempfile
from pathlib import Path

import pytest
from nbclient.exceptions import DeadKernelError

from tests.support.kernels import WARM, Kitchen, by_us, cells, notebook_of

MODULE = "held = []"
OPEN = {
    "in a cycle": (
        "import gzip\nclass Holder: pass\nholder = Holder(); holder.me = holder\n"
        "holder.file = gzip.open('left', 'wb'); holder.file.write(b'word ' * 100)"
    ),
    "by a finalizer in a cycle": (
        "class Holder:\n"
        "    def __del__(self, open=open): open('left', 'w').write('at the end')\n"
        "holder = Holder(); holder.me = holder"
    ),
    "by a module of the project": (
        "import gzip, module_that_holds\n"
        "file = gzip.open('left', 'wb'); file.write(b'word ' * 100)\n"
        "module_that_holds.held.append(file); del file"
    ),
    "as Parquet in a module": (
        "import module_that_holds, pyarrow as pa, pyarrow.parquet as pq\n"
        "table = pa.table({'a': [1, 2]})\n"
        "writer = pq.ParquetWriter('left', table.schema); writer.write_table(table)\n"
        "module_that_holds.held.append(writer); del writer"
    ),
    "by C": (
        "import ctypes\nc = ctypes.CDLL(None); c.fopen.restype = ctypes.c_void_p\n"
        "file = c.fopen(b'left', b'w'); c.fputs(b'by C', ctypes.c_void_p(file))"
    ),
    "beside what cannot be looked at": (
        "import module_that_holds, weakref\nclass Gone: pass\n"
        "class Lies:\n    @property\n    def __class__(self): raise RuntimeError('not now')\n"
        "module_that_holds.held += [weakref.proxy(Gone()), Lies()]\n"
        "module_that_holds.file = open('left', 'w'); module_that_holds.file.write('words')"
    ),
    "on a package that was there before": (
        "import pandas\npandas.file = open('left', 'w'); pandas.file.write('words')"
    ),
    "by the traceback of the last error": (
        "import gzip\ndef fails():\n    file = gzip.open('left', 'wb'); file.write(b'word')\n"
        "    1 / 0\n"
        "import sys\ntry: fails()\nexcept ZeroDivisionError as error: sys.last_value = error"
    ),
}


WHOLE = {
    "in a cycle": lambda left: gzip.decompress(left) == b"word " * 100,
    "by a finalizer in a cycle": lambda left: left == b"at the end",
    "by a module of the project": lambda left: gzip.decompress(left) == b"word " * 100,
    "as Parquet in a module": lambda left: left.startswith(b"PAR1") and left.endswith(b"PAR1"),
    "by C": lambda left: left == b"by C",
    "beside what cannot be looked at": lambda left: left == b"words",
    "on a package that was there before": lambda left: left == b"words",
    "by the traceback of the last error": lambda left: gzip.decompress(left) == b"word",
}


@pytest.mark.parametrize("where", OPEN)
def test_what_is_left_open_is_whole(kitchen: Kitchen, tmp_path: Path, where: str) -> None:
    (tmp_path / "module_that_holds.py").write_text(MODULE)
    with kitchen.kernel(WARM, [str(tmp_path)]) as (manager, place):
        done = by_us(notebook_of(cells(OPEN[where])), manager, place)
        assert [o for cell in done["cells"] for o in cell["outputs"] if "ename" in o] == []
        left = (place.directory / "left").read_bytes()
    assert WHOLE[where](left), left


def test_what_breaks_a_kernel_is_told_as_its_death_and_not_as_a_failure_to_start(
    kitchen: Kitchen,
) -> None:
    with kitchen.kernel(WARM) as (manager, place):
        with pytest.raises(DeadKernelError):
            by_us(notebook_of(cells("import sys\nsys.modules = None")), manager, place)
        held = manager.provisioner.held
        assert held is not None
        assert held.complaint is None


def test_a_manager_writes_no_connection_file_of_its_own(
    kitchen: Kitchen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold the kernel's key, and stay when the runner is killed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with kitchen.kernel(WARM) as (manager, place):
        seen: list[list[str]] = []
        monkeypatch.setattr(
            type(manager), "shutdown_kernel", _seeing(type(manager).shutdown_kernel, tmp_path, seen)
        )
        by_us(notebook_of(cells("1")), manager, place)
    assert seen == [[]]


def _seeing(shutdown, folder: Path, seen: list[list[str]]):
    async def look(self, *arguments: object, **options: object) -> None:
        seen.append([path.name for path in folder.iterdir() if path.suffix == ".json"])
        await shutdown(self, *arguments, **options)

    return look
