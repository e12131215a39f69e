"""The small report that most rows measure: pandas, a table and a figure."""

from pathlib import Path

from tests.bench.folders import notebook, repository

REPORT = "report"
CELLS = (
    ("parameters", "days = 60"),
    (
        None,
        "import matplotlib.pyplot as plt\nimport pandas as pd\n"
        "frame = pd.DataFrame({'day': range(days), 'visits': [n % 7 for n in range(days)]})\n"
        "frame.describe()",
    ),
    (None, "frame.plot(x='day', y='visits', figsize=(7, 3))\nplt.show()"),
)
TEMPLATE = "report.ipynb"
_MANIFEST = f'[project]\nname = "bench"\n[reports.{REPORT}]\ntemplate = "{TEMPLATE}"\n'


def make_project(folder: Path) -> Path:
    """Make the repository of a project with that one report."""
    return repository(folder, {TEMPLATE: notebook(CELLS), "provenote.toml": _MANIFEST})
