"""What a cell imports can be seen through its magics."""

import ast

import pytest

from pipeline.magics import plain_python


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
        "import pandas\nremainder = 7 % 4\nnot_equal = 1 != 2",
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


def test_plain_python_is_left_as_it_is():
    source = "x = 7 % 4\ny = f'{x!r}'\nz = a if a != b else c\ns = '''\n% of all\n'''"
    assert ast.parse(plain_python("x = 7 % 4\ny = f'{x!r}'")).body
    assert plain_python(source).splitlines()[:3] == source.splitlines()[:3]


def test_a_cell_in_another_language_imports_nothing():
    assert plain_python("%%bash\nimport pandas") == ""


def test_a_script_that_is_run_counts_as_code():
    assert plain_python("%run -i helpers.py x") == "import runpy; runpy.run_path('helpers.py')"
