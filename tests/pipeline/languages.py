"""A project of three stages in three languages: a notebook, then Octave, then R."""

from tests.support.repository import notebook

MANIFEST = """\
[project]
name = "languages"

[params.count]
type = "int"
default = 4

[stages.numbers]
notebook = "notebooks/numbers.ipynb"
outputs = { numbers = "numbers.csv" }

[stages.scaled]
command = ["octave-cli", "--eval", "scale('{inputs.numbers}', '{outputs.scaled}')"]
inputs = { numbers = "numbers" }
outputs = { scaled = "scaled.csv" }

[stages.summed]
command = ["Rscript", "--vanilla", "r/sum.R", "{inputs.scaled}", "{outputs.total}"]
inputs = { scaled = "scaled" }
outputs = { total = "total.txt" }

[reports.sum]
template = "reports/sum.ipynb"
inputs = { total = "summed" }
on = ["push"]
"""
NUMBERS_CELL = """\
import provenote
lines = "\\n".join(str(number) for number in range(1, count + 1))
provenote.output("numbers.csv").write_text(lines + "\\n")
"""
NUMBERS = notebook("# Numbers\n\nFrom one up.", "count = 2", NUMBERS_CELL)
SCALE_M = """\
function scale(source, target)
  % every number times the factor
  csvwrite(target, csvread(source) * factor());
end
"""
FACTOR_M = "function f = factor()\n  f = 10;\nend\n"
SUM_R = """\
source("r/helper.R")
given <- commandArgs(trailingOnly = TRUE)
numbers <- read.csv(given[1], header = FALSE)
cat(add_up(numbers$V1), file = given[2])
results <- Sys.getenv("PROVENOTE_RESULTS")
line <- '{"metric": {"name": "rows", "value": %d, "unit": null, "better": null}}\\n'
cat(sprintf(line, nrow(numbers)), file = results, append = TRUE)
"""
HELPER_R = "add_up <- function(x) sum(x)\n"
REPORT = notebook("# Sum", "total = None", "print('total', open(total).read())")
PROJECT = {
    "provenote.toml": MANIFEST,
    "notebooks/numbers.ipynb": NUMBERS,
    "scale.m": SCALE_M,
    "factor.m": FACTOR_M,
    "r/sum.R": SUM_R,
    "r/helper.R": HELPER_R,
    "r/unused.R": "x <- 1\n",
    "reports/sum.ipynb": REPORT,
}
