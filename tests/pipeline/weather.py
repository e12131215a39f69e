"""A small project to evaluate: two stages and a report, without any package."""

from tests.support.repository import notebook

MANIFEST = """\
[project]
name = "weather"

[params.day]
type = "date"
default = "2013-01-31"

[params.level]
type = "float"
default = 1

[stages.table]
python = "stages.table:build"

[stages.total]
python = "stages.total:build"
inputs = { table = "table" }

[reports.daily]
template = "reports/daily.ipynb"
inputs = { total = "total" }
on = ["push"]
"""
TABLE = """\
from stages.helper import WORDS

def build(day):
    print("building the table")
    return f"{day!r} {WORDS}"
"""
TOTAL = """\
def build(table):
    return str(len(table.read_text().split()))
"""
CELL = """\
import provenote
words = int(open(total).read())
provenote.metric("words", words, "1", better="higher")
provenote.check(words > 0, "there are words")
print("finished:", day, type(day).__name__, level, type(level).__name__, words)
"""
DAILY = notebook("# Daily words", 'day = "2000-01-01"\nlevel = 0.5\ntotal = None', CELL)
PROJECT = {
    "provenote.toml": MANIFEST,
    "stages/__init__.py": "",
    "stages/helper.py": 'WORDS = "sun rain"\n',
    "stages/table.py": TABLE,
    "stages/total.py": TOTAL,
    "reports/daily.ipynb": DAILY,
    "README.md": "Weather\n",
}


def single(template: str, manifest: str = "", report: str = "") -> dict[str, str]:
    """Return a project of one report without stages; *report* adds keys to its table."""
    head = '[project]\nname = "weather"\n[reports.daily]\ntemplate = "reports/daily.ipynb"\n'
    return {
        "provenote.toml": f'{head}on = ["push"]\n{report}\n{manifest}',
        "reports/daily.ipynb": template,
    }


def staged(body: str, stage: str = "") -> dict[str, str]:
    """Return a project whose only stage is the module *body*; *stage* adds keys to its table."""
    manifest = '[stages.made]\npython = "stages.made:build"\n' + stage
    files = single(notebook("# Report", "made = None", "print(made)"), manifest)
    head, mark, rest = files["provenote.toml"].partition('on = ["push"]\n')
    files["provenote.toml"] = f'{head}{mark}inputs = {{ made = "made" }}\n{rest}'
    return files | {"stages/__init__.py": "", "stages/made.py": body}
