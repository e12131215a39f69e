"""What waiting kernels have imported: what notebooks use of packages, and never the project's."""

import json

import pytest

from pipeline.manifest import read_manifest
from pipeline.preloading import PreloadError, preload_of
from pipeline.repository.tree import MemoryTree
from provenance.identity.environment import Distribution, EnvironmentFacts

FACTS = EnvironmentFacts(
    "cpython",
    "3.11.7",
    "abi",
    "linux",
    tuple(
        Distribution(name, "1.0", "0" * 64, modules, ())
        for name, modules in (
            ("pandas", ("pandas",)),
            ("matplotlib", ("matplotlib", "mpl_toolkits", "pylab")),
            ("scikit-learn", ("sklearn",)),
            ("features", ("features",)),
        )
    ),
)


def notebook(*cells: str, language: str = "python") -> bytes:
    told = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    spec = {"name": "x", "display_name": "x", "language": language}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": spec}, "cells": told}
    ).encode()


def preloaded(reports: dict[str, bytes], environment: str = "", **files: bytes) -> tuple[str, ...]:
    lines = ['[project]\nname = "tides"', environment]
    lines += [f'[reports.r{i}]\ntemplate = "{path}"' for i, path in enumerate(reports)]
    content = {"provenote.toml": "\n".join(lines).encode(), **reports}
    tree = MemoryTree(content | {name.replace("__", "/"): data for name, data in files.items()})
    return preload_of(tree, read_manifest(tree), FACTS)


def test_it_is_what_all_notebooks_import_of_packages_by_the_names_that_they_use() -> None:
    found = preloaded(
        {
            "a.ipynb": notebook("%matplotlib inline\nimport json, pandas as pd", "import absent"),
            "deep/b.ipynb": notebook(
                "if True:\n    import matplotlib.pyplot as plt\n!ls",
                "from sklearn.linear_model import Ridge\nfrom . import pandas_of_ours",
            ),
        }
    )
    assert found == ("matplotlib.pyplot", "pandas", "sklearn.linear_model")


def test_modules_of_the_repository_are_none_of_it_though_a_package_has_their_name() -> None:
    template = {"deep/a.ipynb": notebook("import features, pandas, sklearn")}
    assert preloaded(template) == ("features", "pandas", "sklearn")
    assert preloaded(template, **{"features.py": b""}) == ("pandas", "sklearn")
    assert preloaded(template, **{"src__features__x.py": b""}) == ("pandas", "sklearn")
    assert preloaded(template, **{"deep__sklearn.py": b""}) == ("features", "pandas")
    assert preloaded(template, **{"other__features.py": b""}) == ("features", "pandas", "sklearn")


def test_a_notebook_of_another_language_and_cells_that_are_no_python_have_no_say() -> None:
    assert preloaded({"r.ipynb": notebook("import pandas", language="R")}) == ()
    assert preloaded({"a.ipynb": notebook("import pandas as", "import sklearn")}) == ("sklearn",)


def test_a_list_in_the_manifest_is_taken_as_it_is() -> None:
    template = {"a.ipynb": notebook("import pandas")}
    wanted = '[environment]\npreload = ["sklearn.svm", "json", "matplotlib", "json"]'
    assert preloaded(template, wanted) == ("json", "matplotlib", "sklearn.svm")
    assert preloaded(template, "[environment]\npreload = []") == ()


def test_a_listed_module_that_is_not_installed_is_told_with_the_nearest() -> None:
    with pytest.raises(PreloadError) as caught:
        preloaded({}, '[environment]\npreload = ["pandas", "panda.core"]')
    assert "panda.core: not installed" in caught.value.message
    assert "Did you mean 'pandas'?" in caught.value.hint
