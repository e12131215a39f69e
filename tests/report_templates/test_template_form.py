"""The form that every built-in template keeps."""

import ast
import json
import re
from typing import Any

import nbformat
import pytest

from tests.report_templates.bench import INPUTS, TEMPLATES

ALLOWED = {"html", "io", "base64", "datetime", "decimal"} | {
    *("IPython", "matplotlib", "numpy", "pandas", "provenote")
}


def cells(name: str) -> list[dict[str, Any]]:
    return list(json.loads(TEMPLATES[name].read_text())["cells"])


def parameters(name: str) -> str:
    found = [c for c in cells(name) if "parameters" in c["metadata"].get("tags", [])]
    assert len(found) == 1
    return str(found[0]["source"])


def test_every_promised_template_is_there() -> None:
    assert set(TEMPLATES) == set(INPUTS)


@pytest.mark.parametrize("name", INPUTS)
def test_a_template_is_a_valid_notebook_without_outputs(name: str) -> None:
    notebook = nbformat.read(TEMPLATES[name], as_version=4)
    nbformat.validate(notebook)
    for cell in cells(name):
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("name", INPUTS)
def test_a_template_opens_with_its_title_and_its_question(name: str) -> None:
    first = cells(name)[0]
    assert first["cell_type"] == "markdown"
    title, _, text = first["source"].partition("\n\n")
    assert re.fullmatch(r"# \S.*", title)
    assert "?" in text or "What changed" in text


@pytest.mark.parametrize("name", INPUTS)
def test_parameters_are_typed_and_every_one_has_help(name: str) -> None:
    lines = parameters(name).splitlines()
    names = []
    for line in lines:
        statement = ast.parse(line).body[0]
        assert "  # " in line
        if isinstance(statement, ast.AnnAssign):
            assert isinstance(statement.target, ast.Name)
            names.append(statement.target.id)
        else:
            assert isinstance(statement, ast.Assign)
            assert isinstance(statement.targets[0], ast.Name)
            assert statement.targets[0].id in INPUTS[name]
            assert ast.literal_eval(statement.value) == ""
            names.append(statement.targets[0].id)
    assert names[: len(INPUTS[name])] == list(INPUTS[name])


@pytest.mark.parametrize("name", INPUTS)
def test_templates_import_only_what_the_default_environment_holds(name: str) -> None:
    code = "\n".join(c["source"] for c in cells(name) if c["cell_type"] == "code")
    imported = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).split(".")[0])
    assert imported <= ALLOWED


def test_the_set_up_is_the_same_in_all_templates() -> None:
    def set_up(name: str) -> str:
        return str(next(c["source"] for c in cells(name) if "plt.rcParams" in c["source"]))

    assert len({set_up(name) for name in INPUTS}) == 1
