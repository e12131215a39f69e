"""Files that code opens though nothing names them: seen, recorded, and part of what is reused."""

import json
from collections.abc import Callable
from dataclasses import replace

from pipeline.isolation import IsolationWanted
from tests.pipeline.weather import single, staged
from tests.support.evaluations import Bench, Told
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]

HOLE = """\
from pathlib import Path
import stages
FOLDER = "".join(reversed("selbat"))

def build():
    here = Path(list(stages.__path__)[0]).parent
    name = "".join(reversed("vsc.ecirp"))
    return (here / FOLDER / name).read_text()
"""


def record_of(evaluate: Bench, run: Told, stage: str = "made") -> dict[str, object]:
    found: dict[str, object] = json.loads(evaluate.installation.store.read(run.jobs[stage].record))
    return found


def test_a_file_that_only_the_run_knows_is_recorded_and_makes_it_run_again(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    repository = git_project(staged(HOLE) | {"tables/price.csv": "1\n", "tables/other.csv": "x\n"})
    first = evaluate(repository).run
    assert first.verdict == "passed", first.row.error
    observed = record_of(evaluate, first)["code"]["observed"]  # type: ignore[index]
    assert list(observed) == ["tables/price.csv"]

    repository.commit({"tables/other.csv": "y\n"})
    assert evaluate(repository).run.statuses["made"] == "reused"

    repository.commit({"tables/price.csv": "2\n"})
    again = evaluate(repository).run
    assert again.statuses == {"made": "executed", "report": "executed"}
    assert again.jobs["made"].reason == "code"
    sentence = "code: tables/price.csv changed (opened, not declared)"
    assert again.jobs["made"].sentence == sentence
    assert again.jobs["made"].key == first.jobs["made"].key

    repository.commit({"tables/price.csv": "1\n"})
    back = evaluate(repository).run
    assert back.statuses == {"made": "reused", "report": "reused"}
    assert back.row.html == first.row.html


def test_a_file_that_was_looked_for_and_was_not_there_counts_when_it_comes(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    body = HOLE.replace(
        "    return (here / FOLDER / name).read_text()",
        "    try:\n        return (here / name).read_text()\n"
        "    except FileNotFoundError:\n        return 'none'",
    )
    repository = git_project(staged(body))
    evaluate(repository)
    repository.commit({"price.csv": "3\n"})
    run = evaluate(repository).run
    assert run.statuses["made"] == "executed"
    assert "price.csv" in run.jobs["made"].sentence


def test_what_a_template_opens_is_observed_too(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    cell = """\
from pathlib import Path
import stages
inner = "".join(reversed("selbat"))
folder = Path(list(stages.__path__)[0]).parent
name = "".join(reversed("txt.a"))
print("read", (folder / inner / name).read_text())
"""
    repository = git_project(
        single(notebook("# T", cell)) | {"stages/__init__.py": "", "tables/a.txt": "one"}
    )
    first = evaluate(repository).run
    assert "read one" in first.printed, first.row.error
    assert list(first.record["code"]["observed"]) == ["tables/a.txt"]
    repository.commit({"README.md": "nothing"})
    assert evaluate(repository).run.statuses == {"report": "reused"}
    repository.commit({"tables/a.txt": "two"})
    assert "read two" in evaluate(repository).run.printed


def test_an_observed_file_that_changes_during_the_run_taints_the_result(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    body = HOLE.replace(
        "    return (here / FOLDER / name).read_text()",
        "    path = here / FOLDER / name\n    text = path.read_text()\n"
        "    path.chmod(0o644)\n    path.write_text('2')\n    return text",
    )
    # Isolated code cannot write there.
    evaluate.installation = replace(evaluate.installation, isolation=IsolationWanted("none"))
    repository = git_project(staged(body) | {"tables/price.csv": "1\n"})
    run = evaluate(repository).run
    record = record_of(evaluate, run)
    assert record["run"]["tainted"] is True  # type: ignore[index]
    assert record["code"]["wrote"] == ["tables/price.csv"]  # type: ignore[index]
    assert evaluate.installation.cache.recorded(str(record["key"])) is None


def test_the_sidecar_of_an_input_tells_of_the_very_result_that_was_laid_down(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    cell = "made = None"
    body = (
        "import json\nside = json.load(open(made + '.prov.json'))\n"
        "print('told', side['record_id'], side['output']['sha256'])"
    )
    project = staged(HOLE) | {"reports/daily.ipynb": notebook("# Report", cell, body)}
    repository = git_project(project | {"tables/price.csv": "1\n"})
    evaluate(repository)
    repository.commit({"tables/price.csv": "2\n"})
    evaluate(repository)
    # The stage's older result is reused, though its key has a newer one for the other file.
    body = body.replace("'told',", "'said',")
    edited = {"reports/daily.ipynb": notebook("# Report", cell, body), "tables/price.csv": "1\n"}
    repository.commit(edited)
    run = evaluate(repository).run
    assert run.statuses == {"made": "reused", "report": "executed"}
    (given,) = run.row.inputs
    assert run.printed.split() == ["said", run.jobs["made"].record, given.sha256]
