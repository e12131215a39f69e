from tests.support.repository import notebook
M = """
[project]
name = "weather"
[params.day]
type = "date"
default = "2013-01-31"
[stages.table]
python = "stages.table:build"
[reports.daily]
template = "reports/daily.ipynb"
inputs = { table = "table" }
on = ["push"]
"""
def test_it(evaluate, git_project):
    r = git_project({"provenote.toml": M, "stages/table.py": "def build(day):\n    return repr(day)\n",
      "reports/daily.ipynb": notebook("# Daily", "day = '2013-01-31'\ntable=None", "print(day, open(table).read())")})
    done = evaluate(r)
    print(done.verdict, done.run.row.error, done.run.printed, done.run.statuses, done.run.row.seconds)
    print(done.run.log)
