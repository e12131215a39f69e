"""What a cell imports, loads and runs can be followed through its magics."""

import ast
from pathlib import Path

import pytest

from pipeline.magics import plain_python
from provenance.identity.closure import source_closure


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline\nimport pandas",
        "import pandas\n!ls -la\nframe?",
        "?frame\nimport pandas\npandas.DataFrame??",
        "files = !ls\nimport pandas",
        "a, b = %timeit -o 1\nimport pandas",
        "%%time\nimport pandas",
        "\n%%capture out\nimport pandas",
        "if True:\n    %load_ext autoreload\n    import pandas",
    ],
)
def test_imports_are_seen_through_magics(source):
    found = ast.parse(plain_python(source))
    names = [
        alias.name
        for node in ast.walk(found)
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    assert names == ["pandas"]


def test_what_is_python_already_is_left_as_it_is():
    source = "y = (x\n% 3)\nz = f'{x!r}' if a != b else c\ns = '''\n% of all\n!'''"
    assert plain_python(source) == source


def closure(tmp_path: Path, source: str, **files: str):
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    tracked = frozenset(f"{name}.py" for name in files)
    return source_closure(tmp_path, tracked, [("cell", plain_python(source))], ("",))


def test_an_extension_that_is_loaded_counts_as_code(tmp_path):
    found = closure(tmp_path, "%load_ext ours\n!true", ours="x = 1\n")
    assert "ours.py" in {file.path for file in found.files}


def test_a_script_that_is_run_counts_as_code(tmp_path):
    found = closure(tmp_path, "%run helpers.py", helpers="x = 1\n")
    assert "helpers.py" in {file.path for file in found.files}


def test_drawing_inline_opens_nothing(tmp_path):
    assert closure(tmp_path, "%matplotlib inline\nimport json", other="x = 1\n").open_sites == ()


def test_a_shell_line_that_names_a_script_counts_it(tmp_path):
    found = closure(tmp_path, "!python prep.py", prep="x = 1\n")
    assert "prep.py" in {file.path for file in found.files}
