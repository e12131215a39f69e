"""A notebook in a language whose kernel comes with the project's own environment: Octave."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.foreign import ForeignValueError, check_input, check_values
from pipeline.repository.tree import MemoryTree
from pipeline.templates import Template, read_template
from tests.pipeline.shop import PROJECT as SHOP
from tests.pipeline.shop import Shop
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook

octave = pytest.mark.skipif(not shutil.which("octave-cli"), reason="Octave is not installed")
MANIFEST = """\
[project]
name = "gauges"

[environment]
from = "requirements.txt"

[reports.gauge]
template = "reports/gauge.ipynb"
on = ["push"]
"""
CELL = """\
addpath('../lib');
printf('%s %d %d\\n', town, twice(count), strict);
results = fopen(getenv('PROVENOTE_RESULTS'), 'a');
fprintf(results, '{"metric": {"name": "count", "value": %d}}\\n', count);
fclose(results);
"""
OCTAVE = {"kernel": "octave", "language": "octave"}
PROJECT = {
    "provenote.toml": MANIFEST,
    "requirements.txt": "octave_kernel==0.37.0\nipykernel<7\n",
    "reports/gauge.ipynb": notebook(
        "count = 4\ntown = 'JFK'\nstrict = true", CELL, tagged=0, **OCTAVE
    ),
    "lib/twice.m": "function y = twice(x)\n  y = 2 * x;\nend\n",
    "lib/unused.txt": "x",
}


@pytest.mark.slow
@octave
def test_an_octave_notebook_is_executed_by_the_kernel_of_the_environment(
    evaluate: Bench, git_project: Callable[..., Repository]
) -> None:
    repository = git_project(PROJECT)
    run = evaluate.execute(evaluate.ask(repository, "gauge", {"town": "LGA", "count": 5}))
    assert run.verdict == "passed", run.row.error
    assert "LGA 10 1" in run.printed
    assert run.metrics == {"count": 5.0}
    assert [file["path"] for file in run.record["code"]["files"]] == ["lib/twice.m"]
    environment = run.record["preimage"]["environment"]
    assert "octave-kernel" in environment["distributions"]
    assert environment["starts octave-cli"]["version"]


def foreign(language: str) -> Template:
    content = notebook("x = 1", kernel="k", language=language).encode()
    return read_template(MemoryTree({"a.ipynb": content}), "a.ipynb")


@pytest.mark.parametrize(
    "value", ["'); system('id'); ('", "$(id)", ["fine", '"'], {"a": 1}, "a\nb"]
)
def test_where_it_is_not_known_what_becomes_code_a_text_is_refused(value: object) -> None:
    with pytest.raises(ForeignValueError, match=r"in octave a text may hold"):
        check_values(foreign("octave"), {"town": value})
    check_values(foreign("R"), {"town": value})


def test_a_language_that_nobody_can_write_values_in_is_given_none() -> None:
    check_values(foreign("julia"), {"town": "New York", "count": 3, "all": [True, None]})
    check_values(foreign("brainfuck"), {})
    with pytest.raises(ForeignValueError, match="cannot be given values: town"):
        check_values(foreign("brainfuck"), {"town": "JFK"})


def test_the_name_of_a_partition_becomes_no_code_in_a_notebook_that_reads_it(
    evaluate: Bench,
    git_project: Callable[..., Repository],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel = {"argv": ["sh", "{connection_file}"], "language": "julia", "display_name": "Julia"}
    (tmp_path / "julia").mkdir()
    (tmp_path / "julia" / "kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setattr("pipeline.kernelspecs._SYSTEM", (tmp_path,))
    read = notebook('sold = ""', "println(sold)", kernel="julia", language="julia", tagged=0)
    files = SHOP | {"reports/all.ipynb": read}
    shop = Shop(evaluate, git_project(files, name="shop"))
    shop.bring("1 fig", "2013-$(run(`id`))")
    run = shop.ask("all")
    assert (run.verdict, run.error["kind"]) == ("error", "foreign_value")
    assert "The input sold has '2013-$(run(`id`))'; in julia" in run.error["message"]


@pytest.mark.parametrize("text", ["$(id)", "a`b", 'x"y', "c\\d", "März", "a;b", "{x}"])
def test_neither_a_part_nor_a_path_may_hold_what_could_be_executed(text: str) -> None:
    for part, path in ((text, "../inputs/sold.csv"), (None, f"../inputs/sold.{text}.csv")):
        with pytest.raises(ForeignValueError, match="The input sold has"):
            check_input(foreign("julia"), "sold", part, path)
        check_input(foreign("R"), "sold", part, path)
    check_input(foreign("julia"), "sold", "2013/01-31", "../../inputs/sold.2013/01-31.csv.gz")
