"""A kernel in which tests execute built-in templates."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = {path.stem: path for path in sorted((ROOT / "report_templates").glob("*.ipynb"))}
INPUTS = {
    "sanity_check": ("frame",),
    "regression_test": ("current", "baseline"),
    "anomaly_report": ("frame",),
    "compare_outputs": ("left", "right"),
    "model_card": ("predictions",),
}


@dataclass(frozen=True)
class Result:
    """What a template left: its metrics, its checks, and all text that it showed."""

    metrics: dict[str, float | None]
    checks: dict[str, bool]
    text: str
    errors: list[str]

    @property
    def failed(self) -> list[str]:
        return [message for message, ok in self.checks.items() if not ok]


class Bench:
    """A kernel of the default environment that executes templates one after another."""

    def __init__(self, manager: Any, folder: Path) -> None:
        self.manager = manager
        self.folder = folder
        self.count = 0

    def save(self, table: pd.DataFrame) -> str:
        self.count += 1
        path = self.folder / f"table{self.count}.parquet"
        table.to_parquet(path)
        return str(path)

    def run(self, name: str, **values: Any) -> Result:
        from nbclient import NotebookClient

        self.count += 1
        results = self.folder / f"results{self.count}.jsonl"
        results.touch()
        context = self.folder / f"context{self.count}.json"
        described = {"schema": 1, "kind": "report", "name": name, "inputs": {}, "params": {}}
        places = {"output_dir": str(self.folder), "results": str(results)}
        context.write_text(json.dumps(described | places))
        notebook = nbformat.read(TEMPLATES[name], as_version=4)
        place = next(
            i for i, c in enumerate(notebook.cells) if "parameters" in c.metadata.get("tags", [])
        )
        given = "\n".join(f"{key} = {value!r}" for key, value in values.items())
        start = f"%reset -f\nimport os\nos.environ['PROVENOTE_CONTEXT'] = {str(context)!r}"
        notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(given))
        notebook.cells.insert(0, nbformat.v4.new_code_cell(start))
        NotebookClient(notebook, km=self.manager, allow_errors=True, timeout=120).execute()
        return read_result(notebook, results)


def read_result(notebook: Any, results: Path) -> Result:
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.data for output in outputs if "data" in output]
    return Result(
        {m["name"]: m["value"] for m in (line["metric"] for line in lines if "metric" in line)},
        {c["message"]: c["ok"] for c in (line["check"] for line in lines if "check" in line)},
        "\n".join(str(data.get("text/html") or data.get("text/plain")) for data in shown),
        [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]
        + [o.text for o in outputs if o.output_type == "stream"],
    )
