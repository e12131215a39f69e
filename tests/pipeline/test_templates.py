import contextlib
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.parameters import Parameter
from pipeline.repository.tree import MemoryTree
from pipeline.templates import (
    MAX_BYTES,
    Cell,
    Template,
    TemplateError,
    builtin_names,
    read_template,
)


def notebook(
    *cells: tuple[str, str | list[str], list[str]] | tuple[str, str | list[str]], **metadata: object
) -> bytes:
    written = [
        {"cell_type": kind, "source": source, "metadata": {"tags": tags[0]} if tags else {}}
        for kind, source, *tags in cells
    ]
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": written}
    return json.dumps(content).encode()


def read(content: bytes, path: str = "reports/a.ipynb") -> Template:
    return read_template(MemoryTree({path: content}), path)


def parameters(source: str, **metadata: object) -> dict[str, Parameter]:
    found = read(notebook(("code", source, ["parameters"]), **metadata)).parameters
    return {parameter.name: parameter for parameter in found}


def refusal(content: bytes, path: str = "reports/a.ipynb") -> str:
    with pytest.raises(TemplateError) as caught:
        read(content, path)
    return str(caught.value)


def test_a_notebook_is_read_with_its_cells_kernel_and_heading() -> None:
    content = notebook(
        ("markdown", ["Hello\n", "# Sanity *check* ##\n", "\n", "What is\n", "odd.\n\nMore."]),
        ("code", "import os"),
        ("code", "date = '2013-01-31'", ["x", "parameters"]),
        kernelspec={"name": "flights", "language": "python"},
    )
    found = read(content)
    assert found.cells[1:] == (
        Cell("code", "import os"),
        Cell("code", "date = '2013-01-31'", ("x", "parameters")),
    )
    assert found.language == "python"
    assert (found.title, found.description) == ("Sanity *check*", "What is odd.")
    assert found.parameters_cell == 2
    assert found.notebook_json == content


def test_without_a_tag_the_first_code_cell_gives_the_parameters() -> None:
    source = (
        "import os\nn = 3\nname, other = 'a', 'b'\nm = n + 1\nos.x = 1\nd['x'] = 2\n__all__ = []"
    )
    found = read(notebook(("raw", "x"), ("code", source), ("code", "y = 2")))
    assert [parameter.name for parameter in found.parameters] == ["n"]
    assert found.parameters_cell == 1


@pytest.mark.parametrize("source", ["import os", "this is no python", "%%bash\nx=1", ""])
def test_a_first_cell_that_assigns_nothing_gives_no_parameters(source: str) -> None:
    found = read(notebook(("code", source), ("code", "y = 2")))
    assert (found.parameters, found.parameters_cell) == ((), None)


def test_a_notebook_without_code_has_no_parameters() -> None:
    found = read(notebook(("markdown", "no heading")))
    assert (found.parameters, found.parameters_cell, found.title) == ((), None, None)


@pytest.mark.parametrize(
    ("source", "kind", "default"),
    [
        ("x = 1", "int", 1),
        ("x = -1.5", "float", -1.5),
        ("x = True", "bool", True),
        ("x = 'a'", "text", "a"),
        ("x = [1, 'a']", "list", [1, "a"]),
        ("x = (1, 2)", "list", (1, 2)),
        ("x = {'a': 1}", "dict", {"a": 1}),
        ("x = None", "text", None),
        ("x = date(2013, 1, 31)", "date", date(2013, 1, 31)),
        ("x = datetime.date(2013, 1, 31)", "date", date(2013, 1, 31)),
        ("x: float = 1", "float", 1),
        ("x: 'int' = 1", "int", 1),
        ("x: str | None = None", "text", None),
        ("x: Optional[int] = None", "int", None),
        ("x: typing.Union[None, bool] = None", "bool", None),
        ("x: list[int] = []", "list", []),
        ("x: typing.Dict[str, int] = {}", "dict", {}),
        ("x: date = '2013-01-31'", "date", "2013-01-31"),
        ("x: dt.date = '2013-01-31'", "date", "2013-01-31"),
        ("x: Annotated[int, 'rows'] = 5", "int", 5),
        ("x: Path = 'a'", "text", "a"),
        ("x: int | str = 'a'", "text", "a"),
        ("x = 1  # type: float", "float", 1),
        ("x = 1\nx = 2.5", "float", 2.5),
        ("%matplotlib inline\n!ls\nx = 1", "int", 1),
        ("a = 5;\r\nx = '''\n% 1'''", "text", "\n% 1"),
    ],
)
def test_types_come_from_annotations_and_values(source: str, kind: str, default: object) -> None:
    found = parameters(source)["x"]
    assert (found.type, found.default, found.required) == (kind, default, False)


@pytest.mark.parametrize("source", ["x = f()", "x = {1, 2}", "x = b'a'", "x = 1j", "x = date(1)"])
def test_what_is_no_simple_value_is_no_parameter(source: str) -> None:
    assert parameters(source) == {}


def test_an_annotation_without_a_value_must_be_given() -> None:
    found = parameters("date: date\nlimit: int | None\nframe: DataFrame")
    assert found["date"].required
    assert not found["limit"].required
    assert "frame" not in found


def test_a_list_of_literals_has_the_choices_of_its_items() -> None:
    found = parameters("x: list[Literal['AA', 'UA']] = ['AA']")["x"]
    assert (found.type, found.choices, found.default) == ("list", ("AA", "UA"), ["AA"])


def test_a_literal_annotation_gives_the_choices() -> None:
    found = parameters("x: Literal['EWR', 'JFK'] = 'JFK'\ny: Optional[Literal[1, 2]] = None")
    assert (found["x"].type, found["x"].choices) == ("text", ("EWR", "JFK"))
    assert (found["y"].type, found["y"].choices) == ("int", (1, 2))


def test_the_comment_behind_a_parameter_is_its_help() -> None:
    found = parameters(
        "a = 'ä#b'  # the first; of all\nb = 1  # type: int  the second\n"
        "c = 1  # type: of plane\nd = [\n  1,  # no\n]  # rows\ne = 1\n# no"
    )
    helps = {name: parameter.help for name, parameter in found.items()}
    assert helps == {
        "a": "the first; of all",
        "b": "the second",
        "c": "type: of plane",
        "d": "rows",
        "e": None,
    }
    assert found["d"].line == 4  # type: ignore[attr-defined]


def test_metadata_adds_to_the_parameters() -> None:
    extra = {
        "n": {"type": "integer", "min": 1, "max": 9, "label": "Rows", "help": "How many"},
        "origin": {"choices": ["EWR", "JFK"]},
        "day": {"type": "date"},
        "limit": {"type": "int", "default": None},
    }
    found = parameters("n = 3.0  # old", provenote={"parameters": extra})
    assert list(found) == ["n", "origin", "day", "limit"]
    n = found["n"]
    assert (n.type, n.default, n.minimum, n.maximum, n.label, n.help) == (
        "int",
        3.0,
        1,
        9,
        "Rows",
        "How many",
    )
    assert (found["origin"].type, found["origin"].required) == ("text", True)
    assert (found["day"].type, found["day"].required) == ("date", True)
    assert not found["limit"].required


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"n": {"typ": "int"}}, "a.ipynb: metadata.provenote.parameters.n: typ: Extra inputs"),
        ({"n": {"type": "itn"}}, "parameters.n: type: found 'itn', expected one of: text, int"),
        ({"n": 5}, "metadata.provenote.parameters.n: "),
        ({"x=1;#": {}}, "'x=1;#' cannot be the name of a parameter."),
        ([], "metadata.provenote.parameters is not a table."),
    ],
)
def test_wrong_metadata_is_an_error(extra: object, message: str) -> None:
    content = notebook(("code", "n = 1"), provenote={"parameters": extra})
    assert message in refusal(content)


def test_parameters_of_other_languages_are_simple_assignments() -> None:
    source = (
        "library(x)\nn <- 5L # rows\n  rate = 0.5;\nname <- 'a'\nok <- TRUE\nf <- function(x) x\n"
        'x.y <- 1\nz == 1\nw = other\nclass <- 3\nbig = 1e3\nbad = 1.2.3\nquote <- "a\\"b"\n'
    )
    content = notebook(("code", source, ["parameters"]), kernelspec={"name": "ir", "language": "R"})
    found = read(content)
    assert found.language == "r"
    values = {p.name: (p.type, p.default, p.help, p.line) for p in found.parameters}
    assert values == {
        "n": ("int", 5, "rows", 2),
        "rate": ("float", 0.5, None, 3),
        "name": ("text", "a", None, 4),
        "ok": ("bool", True, None, 5),
        "big": ("float", 1000.0, None, 11),
        "quote": ("text", 'a"b', None, 13),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "reports/a.ipynb, line 1: not valid JSON (Expecting value)."),
        (b'{"cells": [\n<<<<<<< HEAD\n', "reports/a.ipynb, line 2: not valid JSON"),
        (b"\xff\xfe", "reports/a.ipynb is not UTF-8 (byte 0)."),
        (b"[1]", "is JSON, but not a notebook: it has no nbformat."),
        (b"{}", "is JSON, but not a notebook: it has no nbformat."),
        (b'{"nbformat": 3}', "has nbformat 3; provenote reads 4. Upgrade it: jupyter nbconvert"),
        (b'{"nbformat": "4"}', "has nbformat 4; provenote reads 4."),
        (b'{"nbformat": 5}', "has nbformat 5; provenote reads 4."),
        (b'{"nbformat": 4}', "reports/a.ipynb has no list of cells."),
        (b'{"nbformat": 4, "cells": [1]}', "cell 1 is not a table."),
        (b'{"nbformat": 4, "cells": [{}]}', "cell 1 has no cell_type or no source of text."),
        (b'{"nbformat": 4, "metadata": []}', "metadata is not a table."),
        (b'{"nbformat": ' + b"9" * 5000 + b"}", "is not valid JSON."),
        (b"[" * 201, "is nested more than 200 deep."),
        (b'{"a":' * 100_000, "is nested more than 200 deep."),
        (b" " * (MAX_BYTES + 1), "is larger than 32 MiB. Save the notebook without its outputs."),
    ],
)
def test_a_file_that_is_no_notebook_is_explained(content: bytes, message: str) -> None:
    assert message in refusal(content)


def test_brackets_in_texts_are_not_nesting() -> None:
    assert read(notebook(("code", '"' + "[{" * 1000 + "\\"))).cells


def test_hostile_quotes_do_not_hold_up_the_reader() -> None:
    # Each escaped quote must not make a scan to the end of the file.
    assert "not valid JSON" in refusal(b'"' + b'\\"' * 2_000_000)


@pytest.mark.parametrize("source", ["x = (", "x = " + "(" * 500, "x = '\0'", "%%time\nx = 1"])
def test_a_tagged_cell_that_is_not_python_names_cell_and_reason(source: str) -> None:
    content = notebook(("markdown", "a"), ("code", source, ["parameters"]))
    assert "reports/a.ipynb, cell 2" in refusal(content)


def test_a_missing_template_names_the_nearest() -> None:
    tree = MemoryTree({"reports/sanity_check.ipynb": b"", "x.py": b""})
    with pytest.raises(TemplateError) as caught:
        read_template(tree, "reports/sanity_chek.ipynb")
    assert str(caught.value) == (
        "reports/sanity_chek.ipynb is not in the project. "
        "Did you mean 'reports/sanity_check.ipynb'?"
    )
    with pytest.raises(TemplateError, match=r"expected a path that ends in \.ipynb, \.py, \.md"):
        read_template(tree, "reports/sanity_check")


def test_built_in_templates_are_read_by_name_only(tmp_path: Path) -> None:
    (tmp_path / "model_card.ipynb").write_bytes(notebook(("code", "n = 1")))
    empty = MemoryTree({})
    assert builtin_names(tmp_path) == ("model_card",)
    found = read_template(empty, "builtin:model_card", tmp_path)
    assert (found.path, found.parameters[0].name) == ("builtin:model_card", "n")
    for name in ("model_crad", "../model_card", "/etc/passwd", ""):
        with pytest.raises(TemplateError, match=r"no built-in template .*; there are: model_card"):
            read_template(empty, f"builtin:{name}", tmp_path)


SCRIPT = b"""# %% [markdown]
# # Daily

# %% tags=["parameters"]
n = 3  # rows

# %%
print(n)
"""
MARKDOWN = b"""# Daily

```python tags=["parameters"]
n = 3  # rows
```
"""


@pytest.mark.parametrize(("path", "content"), [("a.py", SCRIPT), ("a.md", MARKDOWN)])
def test_scripts_and_markdown_become_the_same_notebook_each_time(path: str, content: bytes) -> None:
    found = read(content, path)
    assert found.title == "Daily"
    assert [(p.name, p.default, p.help) for p in found.parameters] == [("n", 3, "rows")]
    assert found.parameters_cell == 1
    assert found.notebook_json == read(content, path).notebook_json
    assert read(found.notebook_json).cells == found.cells


def test_a_script_that_jupytext_cannot_read_is_an_error_of_the_template() -> None:
    assert "a.md cannot be read as a notebook" in refusal(b"---\njupyter: [\n---\n# x\n", "a.md")


KEYS = [
    "nbformat",
    "cells",
    "metadata",
    "cell_type",
    "source",
    "tags",
    "kernelspec",
    "provenote",
    "parameters",
    "type",
    "choices",
    "default",
    "name",
    "language",
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(anything, anything, st.text(max_size=30))
def test_any_json_is_a_template_or_an_error_of_the_template(
    metadata: object, cell: object, source: str
) -> None:
    code = {"cell_type": "code", "source": source, "metadata": {"tags": ["parameters"]}}
    for cells in ([code], [cell], cell):
        content = json.dumps({"nbformat": 4, "metadata": metadata, "cells": cells}).encode()
        with contextlib.suppress(TemplateError):
            read(content)


def test_reading_a_notebook_imports_nothing_heavy() -> None:
    code = (
        "import sys, pipeline.manifest, pipeline.schema\n"
        "from pipeline.repository.tree import MemoryTree\n"
        "from pipeline.templates import read_template\n"
        'read_template(MemoryTree({"a.ipynb": b\'{"nbformat": 4, "cells": []}\'}), "a.ipynb")\n'
        "heavy = {'nbformat', 'jupytext', 'papermill', 'nbconvert', 'pandas', 'pyarrow'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
