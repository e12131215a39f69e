"""Many kernels in a row, forked from one host that has large libraries imported.

``python -m tests.bench.forks 1000 [SECONDS]`` executes up to so many, but no longer than that
(default: half an hour), and prints what they cost the host. It fails where one of them gives
another result than a kernel that was started afresh.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from pipeline.environments import Environment, environment_for, lock_of
from pipeline.kernels.hosts import KernelHosts
from pipeline.kernels.waiting import Pool
from pipeline.repository.tree import MemoryTree
from tests.bench.place import Place
from tests.support.kernels import COLD, WARM, Executed, Kitchen, cells
from tests.support.waiting import wait_for

REQUIREMENTS = b"""numpy==2.4.6
pandas==3.1.1
matplotlib==3.11.2
pyarrow==26.0.1
duckdb
polars
scikit-learn
"""
PRELOAD = (
    *("duckdb", "matplotlib.pyplot", "numpy", "pandas", "polars", "pyarrow.compute"),
    *("pyarrow.parquet", "sklearn.cluster", "sklearn.ensemble", "sklearn.linear_model"),
)
WORK = (
    """\
import numpy
table = numpy.random.default_rng(1).random((300, 300))
singular = numpy.linalg.svd(table[:90])[1]
print(round(float((table @ table).sum()), 3), round(float(singular[0]), 6))""",
    """\
import pandas as pd
frame = pd.DataFrame({"key": [n % 7 for n in range(20_000)], "value": range(20_000)})
print(frame.groupby("key")["value"].agg(["sum", "mean"]).to_json())""",
    """\
import pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq
arrow = pa.Table.from_pandas(frame)
pq.write_table(arrow, "frame.parquet")
print(pc.sum(pq.read_table("frame.parquet", use_threads=True)["value"]), arrow.num_rows)""",
    """\
import duckdb
print(duckdb.sql("SELECT key, sum(value) FROM 'frame.parquet' GROUP BY key ORDER BY key"))""",
    """\
import polars as pl
lazy = pl.scan_parquet("frame.parquet").group_by("key").agg(pl.col("value").sum()).sort("key")
print(lazy.collect().to_dicts())""",
    """\
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
fitted = LinearRegression().fit(table[:, :5], table[:, 5])
print([round(float(one), 6) for one in fitted.coef_])
print(round(KMeans(3, n_init=1, random_state=0).fit(table[:, :4]).inertia_, 6))
forest = RandomForestClassifier(10, n_jobs=2, random_state=0).fit(table[:, :4], table[:, 5] > 0.5)
print(forest.score(table[:, :4], table[:, 5] > 0.5))""",
    """\
import hashlib, io, matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(2, 1)); axes.plot(table[0]); axes.set_title("of a fork")
picture = io.BytesIO(); figure.savefig(picture, metadata={"Software": None}); plt.close()
print(hashlib.sha256(picture.getvalue()).hexdigest())""",
)
_SETTLED = 5
"""After so many kernels the host has learned what they import."""


@dataclass(frozen=True)
class Host:
    """What a host holds, once all of its kernels have ended."""

    private: int
    """Bytes of memory that it has written and no other process shares."""
    files: int
    threads: int
    processes: int


@dataclass(frozen=True)
class Forked:
    """What a row of kernels has shown."""

    kernels: int
    seconds: float
    different: list[int]
    """Which of them gave another result than one that was started afresh."""
    settled: Host
    """The host after the first few."""
    ended: Host

    def told(self) -> str:
        """Return the figures as one line."""
        grown = (self.ended.private - self.settled.private) / 1e6
        return (
            f"{self.kernels} kernels in {self.seconds:.0f} s; {len(self.different)} differed; "
            f"the host's private memory {self.ended.private / 1e6:.1f} MB ({grown:+.1f} MB), "
            f"files {self.ended.files} ({self.ended.files - self.settled.files:+d}), "
            f"threads {self.ended.threads} ({self.ended.threads - self.settled.threads:+d}), "
            f"processes left {self.ended.processes}"
        )


def environment(home: Path) -> Environment:
    """Return an environment with large libraries of many threads."""
    return environment_for(
        home, lock_of(MemoryTree({"requirements.txt": REQUIREMENTS}), "requirements.txt")
    )


def fork(kitchen: Kitchen, times: int, seconds: float) -> Forked:
    """Execute the work in *times* kernels, one after the other, for at most *seconds*."""
    told = cells(*WORK)
    expected = _results(kitchen.execute(told, COLD))
    different, settled, pool = [], None, Pool()
    began, number = time.monotonic(), 0
    for number in range(1, times + 1):
        executed = kitchen.execute(told, WARM, pool=pool)
        if _results(executed) != expected:
            different.append(number)
        if number == min(_SETTLED, times):
            settled = _host(kitchen)
        if time.monotonic() - began > seconds:
            break
        if number < times:
            pool.prepare(kitchen.door)
        if sys.stderr.isatty():
            print(f"\r{number}", end="", file=sys.stderr)
    pool.close()
    assert settled is not None, "no kernel was executed"
    return Forked(number, time.monotonic() - began, different, settled, _host(kitchen))


def _results(executed: Executed) -> Any:
    return json.dumps(executed.told)


def _host(kitchen: Kitchen) -> Host:
    place = kitchen.door.parent
    wait_for(lambda: list(place.iterdir()) == [kitchen.door], "the last kernel to be buried")
    process = psutil.Process(kitchen.hosts._hosts[kitchen.wanted].process.pid)
    children = len(process.children(recursive=True))
    return Host(_written(process.pid), process.num_fds(), process.num_threads(), children)


def _written(pid: int) -> int:
    # Pages of libraries are left out: whether others share them depends on who else runs.
    told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    lines = [line.split() for line in told.splitlines() if line.startswith("Private_Dirty")]
    return 1024 * sum(int(fields[1]) for fields in lines)


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.forks", description=__doc__)
    parser.add_argument("kernels", type=int)
    parser.add_argument("seconds", type=float, nargs="?", default=1800.0)
    given = parser.parse_args()
    hosts = KernelHosts("bench:forks")
    try:
        with tempfile.TemporaryDirectory(prefix="provenote-bench-") as folder:
            venv = environment(Place(Path(folder)).environments)
            forked = fork(
                Kitchen(venv.root, hosts, Path(folder), PRELOAD), given.kernels, given.seconds
            )
    finally:
        hosts.stop()
    print(forked.told())
    if forked.different:
        raise SystemExit(f"These gave another result: {forked.different}")


if __name__ == "__main__":
    main()
