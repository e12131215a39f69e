"""Programs that look for files by a pattern find them, and a new one executes them again."""

import shutil
from collections.abc import Callable

import pytest

from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook

MANIFEST = """\
[project]
name = "patterns"
[stages.counted]
command = [%s, "{outputs.counted}"]
outputs = { counted = "counted.txt" }
[reports.shown]
template = "reports/shown.ipynb"
inputs = { counted = "counted" }
on = ["push"]
"""
SHELL = 'n=0\nfor f in *.csv; do [ -f "$f" ] && n=$((n + 1)); done\nprintf %s $n > "$1"\n'
R = 'cat(length(list.files(pattern = "\\\\.csv$")), file = commandArgs(trailingOnly = TRUE)[1])\n'
OCTAVE = "f = fopen(argv(){end}, 'w'); fprintf(f, '%d', numel(glob('*.csv'))); fclose(f);\n"


@pytest.mark.parametrize(
    ("program", "command", "script", "source"),
    [
        ("sh", '"sh", "go.sh"', "go.sh", SHELL),
        ("Rscript", '"Rscript", "--vanilla", "go.R"', "go.R", R),
        ("octave-cli", '"octave-cli", "go.m"', "go.m", OCTAVE),
    ],
)
def test_files_that_a_pattern_matches_are_there_and_a_new_one_counts(
    evaluate: Bench,
    git_project: Callable[..., Repository],
    program: str,
    command: str,
    script: str,
    source: str,
) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    shown = notebook("# S", "counted = None", "print('found', open(counted).read())")
    files = {"provenote.toml": MANIFEST % command, script: source, "reports/shown.ipynb": shown}
    repository = git_project(files | {"a.csv": "1\n", "b.csv": "2\n"})
    first = evaluate(repository).run
    assert first.verdict == "passed", first.row.error
    assert "found 2" in first.printed

    repository.commit({"c.csv": "3\n"})
    second = evaluate(repository).run
    assert second.statuses["counted"] == "executed"
    assert "found 3" in second.printed
