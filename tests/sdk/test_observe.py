"""What is noted of the files that users' code opens in the checkout."""

import json
import os
import subprocess
import sys
import textwrap
from importlib.util import find_spec

import pytest

FOUND = [{"path": "data/x.csv"}]


@pytest.fixture
def observed(checkout):
    """Run code that is observed; return the lines of its log."""
    checkout.write("data/x.csv", "a,b\n1,2\n")
    checkout.write("lib/helper.py", "X = 1\n")

    def run(code, cwd=None, closure=None, asked=True):
        log = checkout.work / "observed.jsonl"
        log.unlink(missing_ok=True)
        observe = {"root": str(checkout.root), "log": str(log)}
        observe |= {"closure": closure} if closure else {}
        context = checkout.work / "context.json"
        context.write_text(json.dumps({"observe": observe} if asked else {}))
        done = subprocess.run(
            [sys.executable, "-P", "-c", START + textwrap.dedent(code)],
            cwd=cwd or checkout.root,
            env={**checkout.environment, "PROVENOTE_CONTEXT": str(context)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in log.read_text().splitlines()] if asked else log

    return run


START = "from provenote import _observe\n_observe.start_from_context()\nimport os, sys\n"


@pytest.mark.parametrize(
    "code",
    [
        "open('data/x.csv').read()",
        "open(b'data/x.csv').read()",
        "from pathlib import Path; Path('data/../data/./x.csv').read_text()",
        "open(os.path.abspath('data/x.csv'))",
        "os.chdir('data'); open('x.csv'); os.chdir('/'); open('/dev/null')",
        "os.close(os.open('data/x.csv', os.O_RDONLY))",
        "file = os.open('data/x.csv', os.O_RDONLY); open(file).read()",
        "[open('data/x.csv').close() for _ in range(9)]",
        "import csv; list(csv.reader(open('data/x.csv')))",
        "os.closerange(3, 99); open('data/x.csv')",
        "import sqlite3; sqlite3.connect('file:data/x.csv?mode=ro', uri=True)",
        "import sqlite3; sqlite3.connect(':memory:'); sqlite3.connect('data/x.csv')",
        "import threading; a = [threading.Thread(target=open, args=('data/x.csv',))]; "
        "a[0].start(); a[0].join()",
        "os.getpid() if (p := os.fork()) == 0 else os.waitpid(p, 0); open('data/x.csv')\n"
        "if p == 0: os._exit(0)",
        "os.open = os.write = None; open('data/x.csv')",
    ],
)
def test_a_file_that_is_read_is_noted(observed, code):
    lines = observed(code)
    assert {line["path"] for line in lines} == {"data/x.csv"}
    assert not any("wrote" in line for line in lines)
    assert len(lines) == (2 if "fork" in code else 1)


@pytest.mark.parametrize(
    "code",
    [
        "import json, csv, email.message, sqlite3; open('/etc/hostname', 'rb').close()",
        "os.path.exists('data/x.csv'); os.stat('data/x.csv')",
        "import importlib.metadata as m; sys.path[:] = ['.']; list(m.distributions())",
        "import ctypes; ctypes.CDLL(None); ctypes.CDLL('libc.so.6')",
        "os.listdir('/'); open('../work/other', 'w')",
    ],
)  # fmt: skip
def test_other_opens_are_not_noted(observed, code):
    assert observed(code) == []


def test_a_file_that_is_missing_is_noted(observed):
    code = "try: open('nothing.toml')\nexcept FileNotFoundError: pass"
    assert observed(code) == [{"path": "nothing.toml"}]


@pytest.mark.parametrize("times", [1, 2])
def test_a_module_is_noted_by_its_source_whether_compiled_or_not(observed, times):
    code = "sys.path.insert(0, 'lib'); import helper"
    for _ in range(times):
        lines = observed(code)
    assert lines == [{"path": "lib/helper.py"}]


def test_files_of_the_closure_are_passed_over(observed):
    code = "open('data/x.csv'); open('lib/helper.py')"
    assert observed(code, closure=["lib/helper.py"]) == FOUND


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("open('new.txt', 'w')", [{"path": "new.txt", "wrote": True}]),
        ("open('data/x.csv', 'r+')",
         [{"path": "data/x.csv"}, {"path": "data/x.csv", "wrote": True}]),
        ("open('data/x.csv', 'a')",
         [{"path": "data/x.csv"}, {"path": "data/x.csv", "wrote": True}]),
        ("open('new', 'x'); os.rename('new', 'newer')",
         [{"path": "new", "wrote": True}, {"path": "newer", "wrote": True}]),
    ],
)  # fmt: skip
def test_writing_into_the_checkout_is_told_apart(observed, code, lines):
    assert observed(code) == lines


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("os.listdir('data')", "data/"),
        ("os.listdir()", "./"),
        ("import glob; glob.glob('data/*.csv')", "data/"),
        ("import pathlib; list(pathlib.Path('data').iterdir())", "data/"),
        ("list(os.scandir(b'data'))", "data/"),
    ],
)
def test_a_directory_that_is_listed_is_noted(observed, code, path):
    assert observed(code) == [{"path": path}]


def test_a_root_behind_a_link_is_the_same_root(observed, checkout):
    link = checkout.work / "link"
    link.symlink_to(checkout.root)
    assert observed(f"open({str(link)!r} + '/data/x.csv')", cwd=link) == []
    assert observed("open('data/x.csv')", cwd=link) == FOUND


def test_names_that_are_no_text_are_noted(observed, checkout):
    (checkout.root / os.fsdecode(b"data/\xff")).write_text("1")
    assert observed("open(b'data/\\xff')") == [{"path": "data/\udcff"}]


def test_the_log_is_bounded(observed):
    lines = observed("""
        for number in range(10_500):
            try: open(f"missing/{number}")
            except OSError: pass
    """)
    assert len(lines) == 10_001


def test_starting_again_notes_in_another_log(observed, checkout):
    other = checkout.work / "other.jsonl"
    code = f"_observe.start({str(checkout.root)!r}, {str(other)!r}); open('data/x.csv')"
    assert observed(code) == []
    assert other.read_text() == '{"path": "data/x.csv"}\n'


def test_nothing_is_noted_where_nobody_asked(observed):
    assert not observed("open('data/x.csv')", asked=False).exists()


def test_a_log_that_cannot_be_written_is_an_error_at_once(checkout):
    code = f"from provenote import _observe; _observe.start('.', {str(checkout.root)!r})"
    assert "IsADirectoryError" in checkout.script(code).stderr


def test_a_stage_is_observed(checkout):
    checkout.write("data/x.csv", "1")
    checkout.write("stages/__init__.py", "")
    checkout.write(
        "stages/features.py",
        "from pathlib import Path\n"
        "def build(name='x'):\n"
        "    return (Path(__file__).parents[1] / 'data' / (name + '.csv')).read_text()\n",
    )
    log = checkout.work / "observed.jsonl"
    context = checkout.context("stages.features:build")
    told = json.loads(context.read_text())
    told["observe"] = {"root": str(checkout.root), "log": str(log)}
    context.write_text(json.dumps(told))
    subprocess.run(
        [sys.executable, "-P", "-m", "provenote._stage", context, checkout.work / "result.json"],
        cwd=checkout.work,
        env=checkout.environment,
        check=True,
    )
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["path"] for line in lines] == [
        "stages/__init__.py",
        "stages/features.py",
        "data/x.csv",
    ]


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed")
def test_opens_by_arrow_are_not_heard_and_those_by_python_are(observed, checkout):
    """What the page on keys says of the limits of observing."""
    write = "import pandas as pd; pd.DataFrame({'a': [1]}).to_parquet('data/x.parquet')"
    checkout.script(write).check_returncode()
    arrow = observed("import pyarrow.parquet as pq; pq.read_table('data/x.parquet')")
    assert {"path": "data/x.parquet"} not in arrow
    pandas = observed("import pandas as pd; pd.read_parquet('data/x.parquet')")
    assert {"path": "data/x.parquet"} not in pandas
    assert observed("import pandas as pd; pd.read_csv('data/x.csv')") == FOUND
