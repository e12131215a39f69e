"""What is keyed is what is executed: no edit that matters is ever taken for none."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pipeline.installation import Installation
from pipeline.isolation import IsolationWanted
from pipeline.kernels.hosts import KernelHosts
from pipeline.runner.client import Runner
from tests.pipeline.weather import single, staged
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]


def test_a_template_imports_from_its_own_folder_first_and_so_does_its_key(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    files = single(notebook("import words\nprint(words.WORD)"))
    files |= {"words.py": "WORD = 'root'\n", "reports/words.py": "WORD = 'beside'\n"}
    repository = git_project(files)
    assert "beside" in evaluate(repository).run.printed
    repository.commit({"reports/words.py": "WORD = 'edited'\n"}, "Edit what is imported")
    done = evaluate(repository)
    assert not done.run.row.reused
    assert "edited" in done.run.printed


def test_a_tag_that_changes_what_happens_changes_the_key(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    template = json.loads(notebook("1 / 0", "print('on')"))
    cell = next(cell for cell in template["cells"] if "1 / 0" in "".join(cell["source"]))
    cell.setdefault("metadata", {})["tags"] = ["raises-exception"]
    repository = git_project(single(json.dumps(template)))
    assert evaluate(repository).verdict == "passed"
    cell["metadata"]["tags"] = []
    repository.commit({"reports/daily.ipynb": json.dumps(template)}, "It may not fail any more")
    assert evaluate(repository).verdict == "error"


EDITS_ITSELF = """\
from pathlib import Path
WORD = 'before'
def build():
    here = Path(__file__)
    here.chmod(0o644)
    here.write_text(here.read_text().replace('bef' + 'ore', 'after'))
    return WORD
"""


def test_an_isolated_stage_cannot_edit_the_code_that_it_is_keyed_by(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    run = evaluate(git_project(staged(EDITS_ITSELF))).run
    assert run.verdict == "error"
    assert "Read-only file system" in run.error["message"]


def test_an_edit_while_a_stage_runs_is_never_taken_for_the_result_of_either(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    evaluate.installation = replace(evaluate.installation, isolation=IsolationWanted("none"))
    run = evaluate(git_project(staged(EDITS_ITSELF))).run
    assert run.statuses["made"] == "executed"
    made = next(job for job in run.row.jobs if job.stage == "made")
    assert evaluate.installation.cache.recorded(made.key) is None


def test_a_source_at_another_address_is_another_source(
    installation: Callable[..., Installation],
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
    git_project: MakeRepository,
    tmp_path: Path,
) -> None:
    for name in ("a", "b"):
        with sqlite3.connect(tmp_path / f"{name}.sqlite") as database:
            database.execute(f"CREATE TABLE t AS SELECT '{name}' AS name")
    urls = {f"{name.upper()}_URL": f"sqlite:///{tmp_path / name}.sqlite" for name in "ab"}
    evaluate = Bench(installation(sources=urls), runner, hosts)
    manifest = (
        '[sources.replica]\nurl_env = "A_URL"\n[stages.rows]\nsql = "q.sql"\nsource = "replica"\n'
    )
    files = single(notebook("rows = None", "print(1)"), manifest, 'inputs = { rows = "rows" }')
    repository = git_project(files | {"q.sql": "SELECT name FROM t"})
    first = evaluate(repository).run
    edited = files["provenote.toml"].replace("A_URL", "B_URL")
    repository.commit({"provenote.toml": edited}, "Another replica")
    second = evaluate(repository).run
    assert first.row.inputs[0].sha256 != second.row.inputs[0].sha256
    assert second.statuses == {"rows": "executed", "report": "executed"}
