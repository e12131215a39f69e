"""Keys of whole projects stay the same wherever and however they are computed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provenance.identity.commands import command_closure

REPOSITORY = Path(__file__).parents[3]
COMMAND = ["octave-cli", "--eval", "score('{inputs.x}')"]
GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "PATH": os.environ["PATH"],
}
PROGRAM = """
import sys
from pathlib import Path
from provenance.identity.closure import python_closure
from provenance.identity.commands import command_closure
from provenance.identity.key import Preimage
from provenance.identity.notebook import Cell, execution_cells

root = Path(sys.argv[1])
tracked = frozenset(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
words = {f"word {number}" for number in range(40)}
params = {"set": words, "dict": {word: {word, 1, None} for word in words}, "keys": {("a", 1): 2}}
for closure in (
    python_closure(root, tracked, "stages/features.py"),
    python_closure(root, tracked, "stages/open.py"),
    command_closure(root, tracked, ["octave-cli", "--eval", "score(1)"], ["data/*"]),
    command_closure(root, tracked, ["Rscript", "fit.R"]),
):
    told = {"files": {f.path: f.semantic for f in closure.files}, "cells": execution_cells(
        [Cell("code", tuple(words), "x = 1")])}
    imports = {"imports": sorted(closure.imports)}
    key = Preimage("python", "s", told, params, {}, (), imports).key
    print(key, [str(site) for site in closure.open_sites])
"""


@pytest.fixture
def project(project):
    project.put("stages/__init__.py", "")
    project.put("stages/features.py", "import lib.a, lib.b, pandas, numpy\nopen('data/x.csv')\n")
    project.put("stages/open.py", "import lib.a\nexec(code)\n__import__(name)\n")
    project.put("lib/a.py", "import lib.b\n")
    project.put("lib/b.py", "import lib.a\n")
    project.put("data/x.csv", "1")
    project.put("data/y.csv", "2")
    project.put("score.m", "addpath('mlib'); addpath(x);\nload('data/y.csv')\neval(y)\n")
    project.put("mlib/f.m", "x = 1;\n")
    project.put("fit.R", "library(dplyr); library(arrow)\nsource('near.R')\nreadLines('near.R')\n")
    project.put("near.R", "source('fit.R') # c\n")
    return project


def test_ten_hash_seeds_give_one_key(project):
    found = set()
    for seed in range(10):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, project.root],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1
    assert found.pop().count("\n") == 4


def semantic(root, tracked):
    closure = command_closure(root, tracked, COMMAND, ["data/*"])
    return {file.path: file.semantic for file in closure.files}


def test_touching_every_file_reruns_no_command(project):
    before = semantic(project.root, project.tracked)
    project.touch()
    assert semantic(project.root, project.tracked) == before


def test_a_fresh_clone_has_the_same_keys(project, tmp_path):
    def git(*words):
        subprocess.run(["git", *words], cwd=project.root, env=GIT, check=True, capture_output=True)

    before = project.preimage(), semantic(project.root, project.tracked)
    git("init")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "All")
    tracked = frozenset(path for path in project.tracked if not path.startswith(".git/"))
    git("clone", ".", str(tmp_path / "clone"))
    project.root = tmp_path / "clone"
    after = project.preimage()
    assert after.key == before[0].key
    assert semantic(project.root, tracked) == before[1]


def test_an_edit_of_equal_size_with_its_mtime_put_back_reruns_a_command(project):
    script = (project.root / "score.m").read_text().replace("addpath(x)", "addpath(y)")
    for path, content in (("score.m", script), ("data/x.csv", "3")):
        before = semantic(project.root, project.tracked)
        project.edit_unseen(path, content)
        after = semantic(project.root, project.tracked)
        assert {name for name in after if after[name] != before[name]} == {path}
