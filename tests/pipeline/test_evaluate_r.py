"""Notebooks in R, as reports and as stages: parameters, results, files, keys, errors."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]
pytestmark = pytest.mark.skipif(
    not Path("/usr/share/jupyter/kernels/ir/kernel.json").exists() or not shutil.which("R"),
    reason="IRkernel is not installed: apt-get install r-cran-irkernel",
)

MANIFEST = """\
[project]
name = "fits"

[params.date]
type = "date"
default = 2013-01-31

[stages.numbers]
notebook = "notebooks/numbers.ipynb"
outputs = { numbers = "numbers.csv" }

[reports.fit]
template = "reports/fit.ipynb"
inputs = { numbers = "numbers" }
on = ["push"]
"""
NUMBERS_CELL = """\
file <- file.path(Sys.getenv("PROVENOTE_OUTPUTS"), "numbers.csv")
write.csv(data.frame(x = seq_len(count)), file, row.names = FALSE)
"""
PARAMETERS = """\
date <- as.Date("2012-12-31")
towns <- c("JFK", "LGA")
note <- "plain"
strict <- TRUE
numbers <- ""
"""
FIT_CELL = """\
source("../r/helpers.R")
told <- read.csv(numbers)
cat(class(date), format(date, "%d.%m.%Y"), total(told$x), "\\n")
cat(length(towns), towns, note, strict, "\\n")
results <- Sys.getenv("PROVENOTE_RESULTS")
cat(sprintf('{"metric": {"name": "rows", "value": %d}}\\n', nrow(told)),
    file = results, append = TRUE)
cat('{"check": {"ok": true, "message": "sorted"}}\\n', file = results, append = TRUE)
plot(told$x)
told
"""
HELPERS = "total <- function(x) sum(x)\n"
R = {"kernel": "ir", "language": "R"}
PROJECT = {
    "provenote.toml": MANIFEST,
    "notebooks/numbers.ipynb": notebook("count <- 4L", NUMBERS_CELL, tagged=0, **R),
    "reports/fit.ipynb": notebook("# Fit", PARAMETERS, FIT_CELL, tagged=1, **R),
    "r/helpers.R": HELPERS,
    "r/unused.R": "x <- 1\n",
}


def test_a_report_in_r_is_executed_rendered_and_reused_by_what_it_stands_on(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = evaluate(repository).run
    assert first.verdict == "passed", first.row.error
    assert first.statuses == {"numbers": "executed", "report": "executed"}
    assert "Date 31.01.2013 10" in first.printed
    assert "2 JFK LGA plain TRUE" in first.printed
    assert first.metrics == {"rows": 4.0}
    assert first.checks == {"sorted": True}
    assert "data:image/png;base64" in first.html, "plots are shown"
    assert '<span class="k">TRUE</span>' in first.html, "and code is coloured as R's"
    code = first.record["code"]
    assert [file["path"] for file in code["files"]] == ["r/helpers.R"]
    assert code["kernel"]["name"] == "ir"
    environment = first.record["preimage"]["environment"]
    assert environment["tool"]["version"].startswith("R version")
    assert "IRkernel" in environment["packages"]
    assert re.search(r"R version \d\S+ .*, with .*\bIRkernel \d", first.html), (
        "the page says it too"
    )

    commented = FIT_CELL.replace("told <-", "# read it\ntold <-")
    repository.commit(
        {
            "r/helpers.R": f"# sums\n{HELPERS}",
            "r/unused.R": "x <- 2\n",
            "reports/fit.ipynb": notebook("# Fit", PARAMETERS, commented, tagged=1, **R),
        }
    )
    assert set(evaluate(repository).run.statuses.values()) == {"reused"}

    repository.commit({"r/helpers.R": HELPERS.replace("sum(x)", "sum(x) + 1")})
    changed = evaluate(repository).run
    assert changed.statuses == {"numbers": "reused", "report": "executed"}
    assert changed.jobs["report"].sentence == "code: r/helpers.R changed"
    assert "Date 31.01.2013 11" in changed.printed


def test_values_of_any_kind_arrive_and_an_error_of_r_is_a_result(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    broken = FIT_CELL.replace("plot(told$x)", "stop('no more')")
    files = {"reports/fit.ipynb": notebook("# Fit", PARAMETERS, broken, tagged=1, **R)}
    repository = git_project(PROJECT | files)
    hostile = '"); cat("run"); ("é'
    given = {"date": "2013-02-28", "towns": ["A", "B", "C"], "note": hostile, "strict": False}
    run = evaluate.execute(evaluate.ask(repository, "fit", given))
    assert "Date 28.02.2013 10" in run.printed
    assert f"3 A B C {hostile} FALSE" in run.printed
    assert run.verdict == "error"
    assert "no more" in run.error["message"] + str(run.error["traceback"])
    assert run.error["where"] == "cell 4"
    assert run.metrics == {"rows": 4.0}, "what it recorded before is kept"


@pytest.mark.parametrize("manifest_names", [False, True])
def test_a_kernel_that_is_not_installed_is_told_with_those_that_are(
    evaluate: Bench, git_project: MakeRepository, manifest_names: bool
) -> None:
    manifest = '[project]\nname = "fits"\n[reports.fit]\ntemplate = "fit.ipynb"\non = ["push"]\n'
    kernel = "ir" if manifest_names else "irr"
    manifest += 'kernel = "irr"\n' if manifest_names else ""
    content = notebook("x <- 1", kernel=kernel, language="R")
    run = evaluate(git_project({"provenote.toml": manifest, "fit.ipynb": content})).run
    assert (run.verdict, run.error["kind"]) == ("error", "unknown_kernel")
    assert "asks for the kernel 'irr', which is not installed" in run.error["message"]
    assert run.error["hint"] == "Did you mean 'ir'?"
