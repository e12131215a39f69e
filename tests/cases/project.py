"""The project that the cases edit: small stages, a kernel and nothing else in its environment.

``made`` is the stage that each case is about; ``seen`` stands on what it gave, and always gives
the same, so that a rerun of ``made`` stops there and the report is reused.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.evaluate import evaluate_run
from pipeline.repository.working_tree import working_tree
from provenance.ledger.tables import Run
from tests.support.evaluations import Bench, Told
from tests.support.repository import Files, Repository, notebook

MANIFEST = """\
[project]
name = "cases"

[environment]
from = "requirements.txt"

[stages.made]
python = "stages.made:build"

[stages.seen]
python = "stages.seen:build"
inputs = { made = "made" }

[reports.told]
template = "reports/told.ipynb"
inputs = { seen = "seen" }
on = ["push"]
"""
MADE = """\
from lib.middle import told

def build():
    return told()
"""
MIDDLE = """\
import lib.deep.far

def told():
    return f"far {lib.deep.far.value()}"
"""
FAR = """\
FACTOR = 2

def value():
    return FACTOR
"""
CELL = "print('seen', open(seen).read())"
NO_PACKAGES = "# nothing but a kernel\n"
PROJECT: Files = {
    "provenote.toml": MANIFEST,
    "requirements.txt": NO_PACKAGES,
    "stages/__init__.py": "",
    "stages/made.py": MADE,
    "stages/seen.py": "def build(made):\n    return 'seen'\n",
    "lib/__init__.py": "",
    "lib/middle.py": MIDDLE,
    "lib/deep/__init__.py": "",
    "lib/deep/far.py": FAR,
    "reports/told.ipynb": notebook("# Told", "seen = None", CELL),
    "README.md": "Cases\n",
}
ALL_REUSED = {"made": "reused", "seen": "reused", "report": "reused"}
MADE_AGAIN = {"made": "executed", "seen": "executed", "report": "reused"}
"""``made`` gave something else, ``seen`` did not: the report never hears of it."""


def with_parameter(name: str, kind: str, default: str) -> str:
    """Return a table of the manifest that declares a parameter."""
    return f'[params.{name}]\ntype = "{kind}"\ndefault = {default}\n'


@dataclass(frozen=True)
class Case:
    """A repository that is pushed to, at work in an installation."""

    bench: Bench
    repository: Repository

    def push(self, files: Files | None = None) -> Told:
        """Commit *files*, push the commit and carry out the run that it asks for."""
        if files is not None:
            self.repository.commit(files)
        return self.bench(self.repository).run

    def ask(self, **params: object) -> Told:
        """Run the report with *params*, as a call of the interface does."""
        return self.bench.execute(self.bench.ask(self.repository, "told", params))

    def work(self, repository: Repository | None = None) -> Told:
        """Run the report in a working tree as it stands, as ``provenote run`` does."""
        tree = working_tree((repository or self.repository).path)
        run_id = self.bench.ask(self.repository, "told")
        evaluate_run(self.bench.claim(Run, run_id), self.bench.worker(), tree)
        return self.bench.run(run_id)

    def record(self, run: Told, stage: str = "made") -> dict[str, Any]:
        """Return the record that *stage* of the run stands on."""
        record_id = run.jobs[stage].record
        assert record_id is not None
        found: dict[str, Any] = json.loads(self.bench.installation.store.read(record_id))
        return found

    def text(self, run: Told, stage: str = "made") -> str:
        """Return what *stage* of the run gave."""
        (output,) = self.record(run, stage)["outputs"]
        return self.bench.installation.store.read(str(output["sha256"])).decode()

    def object(self, run: Told, stage: str = "made") -> Path:
        """Return where the store keeps what *stage* of the run gave."""
        (output,) = self.record(run, stage)["outputs"]
        return self.bench.installation.store.path(str(output["sha256"]))


def said(run: Told, stage: str = "made") -> tuple[str, str | None, str]:
    """Return what happened with a job: its status, the reason's code, and the sentence."""
    job = run.jobs[stage]
    return job.status, job.reason, job.sentence
