import pytest

ENTRY = "stages/features.py"
HERE = "from pathlib import Path\nHERE = Path(__file__).parent\n"
DATA = {"data/x.csv", "data/y.csv", "data/deep/z.csv", "stages/limits.json"}


@pytest.fixture
def project(project):
    project.put("stages/__init__.py")
    project.put("lib/__init__.py")
    project.put("lib/table.txt", "1")
    project.put("tools/script.py", "import neighbour\n")
    project.put("tools/neighbour.py")
    for path in DATA:
        project.put(path, path)
    return project


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("open('data/x.csv')", "data/x.csv"),
        ("pd.read_csv('./data/x.csv')", "data/x.csv"),
        ("NAME = 'data/x.csv'\nload(NAME)", "data/x.csv"),
        ("load({'path': ['data/x.csv']})", "data/x.csv"),
        ("open('../data/x.csv')", "data/x.csv"),
        ("open('/data/x.csv')", ""),
        ("'''See data/x.csv.'''", ""),
        ("'data/x.csv'", ""),
        ("name = 'data'; d['deep'] = 1", ""),
        ("from pathlib import Path\nPath(__file__).parent / 'limits.json'", "stages/limits.json"),
        ("from pathlib import Path\nPath(__file__).parents[1].joinpath('data', 'x.csv')",
         "data/x.csv"),
        ("from pathlib import Path\nPath(__file__).resolve().with_name('limits.json')",
         "stages/limits.json"),
        ("import os\nos.path.join(os.path.dirname(os.path.abspath(__file__)), 'limits.json')",
         "stages/limits.json"),
        ("import os\nopen(os.path.dirname(__file__) + '/limits.json')", "stages/limits.json"),
        (HERE + "(HERE / 'limits.json').read_text()", "stages/limits.json"),
        (HERE + "ROOT = HERE.parent\nopen(ROOT / 'data' / 'deep' / 'z.csv')", "data/deep/z.csv"),
        (HERE + "(HERE.parent / 'data').glob('*.csv')", "data/x.csv data/y.csv data/deep/z.csv"),
        (HERE + "HERE.parent.rglob('z.csv')", "data/deep/z.csv"),
        (HERE + "HERE.parent / 'data' / name", "data/x.csv data/y.csv data/deep/z.csv"),
        (HERE + "def f(n): return (HERE / n).read_text()", "stages/limits.json"),
        ("from paths import ROOT\nopen(ROOT / 'data' / 'x.csv')", "data/x.csv"),
        ("import os\nos.path.join(ROOT, 'deep', 'z.csv')", "data/deep/z.csv"),
        ("pd.read_parquet('data')", "data/x.csv data/y.csv data/deep/z.csv"),
        ("import glob\nglob.glob('data/?.csv')", "data/x.csv data/y.csv"),
        ("open(f'data/{name}.csv')", "data/x.csv data/y.csv data/deep/z.csv"),
        ("path = f'data/x{suffix}'\nopen(path)", "data/x.csv"),
        ("log(f'{a}/{b}.csv: {c}')", ""),
        ("import importlib.resources as r\nr.files('lib') / 'table.txt'",
         "lib/__init__.py lib/table.txt"),
        ("from importlib import resources\nresources.read_text('lib', 'table.txt')",
         "lib/__init__.py lib/table.txt"),
        ("import pkgutil\npkgutil.get_data('lib', 'table.txt')", "lib/__init__.py lib/table.txt"),
        ("import subprocess, sys\nsubprocess.run([sys.executable, 'tools/script.py'])",
         "tools/script.py tools/neighbour.py"),
        ("import subprocess\nsubprocess.run('python tools/script.py -v', shell=True)",
         "tools/script.py tools/neighbour.py"),
    ],
)  # fmt: skip
def test_files_named_by_literals_are_part_of_the_closure(project, source, expected):
    project.put(ENTRY, source)
    closure = project.closure()
    assert closure.open_sites == ()
    assert {file.path for file in closure.files} == {
        ENTRY, "stages/__init__.py", *expected.split(),
    }  # fmt: skip


def test_editing_a_data_file_reruns(project):
    project.put(ENTRY, "import pandas as pd\ndef build(): return pd.read_csv('data/x.csv')\n")
    before = project.preimage()
    project.put("data/x.csv", "other")
    project.put("data/y.csv", "other")
    assert project.reason(before).sentence == "code: data/x.csv changed"


def test_a_source_that_is_read_as_data_counts_by_its_bytes(project):
    project.put(ENTRY, "text = open('tools/script.py').read()\n")
    before = project.preimage()
    project.put("tools/script.py", "import neighbour  # a comment\n")
    assert project.reason(before).sentence == "code: tools/script.py changed"


def test_a_name_given_twice_is_no_place(project):
    project.put(ENTRY, HERE + "HERE = Path('/data')\nopen(HERE / 'limits.json')\n")
    assert "stages/limits.json" in project.paths()


def test_a_data_file_that_is_no_file_is_passed_over(project):
    project.put(ENTRY, "open('data/x.csv')\n")
    tracked = project.tracked
    (project.root / "data/x.csv").unlink()
    (project.root / "data/x.csv").mkdir()
    from provenance.identity.closure import python_closure

    closure = python_closure(project.root, tracked, ENTRY)
    assert "data/x.csv" not in {file.path for file in closure.files}
