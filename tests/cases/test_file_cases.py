"""Cases 13 to 17: files that change behind a key's back, and files that only seem to."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cases.packages import environment_of, install, wheel
from tests.cases.project import ALL_REUSED, CELL, FAR, MADE_AGAIN, Case, said
from tests.support.evaluations import in_thread
from tests.support.repository import Files, Repository, notebook
from tests.support.waiting import wait_for

CaseOf = Callable[[Files], Case]


def test_case_13_an_edit_of_equal_size_with_its_time_put_back_is_seen(case: Case) -> None:
    """Case 13: neither size nor mtime tell it; the same process looks twice at one file."""
    path = case.repository.path / "lib/deep/far.py"
    first = case.work()
    time.sleep(0.2)  # by then the file's hash is remembered, with what tells its state
    assert case.work().statuses == ALL_REUSED
    times = path.stat()
    path.write_text(FAR.replace("FACTOR = 2", "FACTOR = 7"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (times.st_size, times.st_mtime_ns)
    edited = case.work()
    assert edited.statuses == MADE_AGAIN
    assert said(edited) == ("executed", "code", "code: lib/deep/far.py changed")
    assert (case.text(first), case.text(edited)) == ("far 2", "far 7")


def test_case_14_a_script_edited_during_the_run_taints_its_result(
    case_of: CaseOf, tmp_path: Path
) -> None:
    """Case 14: nobody knows which of the two was executed; so it stands for neither."""
    gate = tmp_path / "gate"
    body = (
        "from pathlib import Path\nimport time\nfrom lib.middle import told\n\n"
        "def build():\n"
        f"    gate = Path({str(gate)!r})\n"
        "    gate.with_suffix('.began').touch()\n"
        "    while not gate.exists():\n"
        "        time.sleep(0.02)\n"
        "    return told()\n"
    )
    case = case_of({"stages/made.py": body})
    path = case.repository.path / "lib/deep/far.py"
    with in_thread(case.work) as told:
        wait_for(gate.with_suffix(".began").exists, "the stage to be under way")
        path.write_text(FAR.replace("FACTOR = 2", "FACTOR = 3"))
        gate.touch()
    (run,) = told
    assert run.verdict == "passed", run.row.error
    assert case.record(run)["run"]["tainted"] is True
    (given,) = case.record(run, "seen")["inputs"]
    assert given["producer_record"] == run.jobs["made"].record, "not what stands for its key"

    edited = case.work()
    assert edited.statuses["made"] == "executed"
    assert case.text(edited) == "far 3"
    assert "tainted" not in case.record(edited)["run"]

    path.write_text(FAR)
    before = case.work()
    assert before.statuses["made"] == "executed", "what was tainted is never reused"
    assert case.text(before) == "far 2"


def test_case_15_touching_all_files_reruns_nothing(case: Case) -> None:
    """Case 15: times are no content."""
    case.work()
    for path in case.repository.path.rglob("*"):
        if ".git" not in path.parts:
            os.utime(path, ns=(1, 1))
    assert case.work().statuses == ALL_REUSED


def test_case_15_a_fresh_clone_reuses_everything(case: Case, tmp_path: Path) -> None:
    """Case 15: neither is the place; what was pushed, worked on or cloned has one key."""
    pushed = case.push()
    clone = Repository(tmp_path / "elsewhere" / "clone")
    case.repository.git("clone", "--quiet", ".", str(clone.path))
    for run in (case.work(clone), case.work(), case.push({})):
        assert run.statuses == ALL_REUSED
        assert run.row.html == pushed.row.html


REQUIREMENTS = "# packages come and go by hand here\n"


def test_case_16_a_used_package_is_upgraded_without_the_lock_and_an_unused_one(
    case_of: CaseOf, environments: Path, tmp_path: Path
) -> None:
    """Case 16: what is installed counts, as far as the code can reach it."""
    environment = environment_of(environments, REQUIREMENTS)
    install(environment, wheel(tmp_path, "tidewater", 1), wheel(tmp_path, "driftwood", 1))
    body = "import tidewater\n\ndef build():\n    return f'tide {tidewater.LEVEL}'\n"
    case = case_of({"requirements.txt": REQUIREMENTS, "stages/made.py": body})
    first = case.push()
    assert case.text(first) == "tide 1"

    install(environment, wheel(tmp_path, "driftwood", 2))
    unused = case.ask()
    assert unused.statuses == ALL_REUSED

    install(environment, wheel(tmp_path, "tidewater", 2))
    used = case.ask()
    assert used.statuses == MADE_AGAIN
    assert said(used) == ("executed", "environment", "environment: tidewater 1.0 → 2.0")
    assert case.text(used) == "tide 2"
    assert case.record(used)["environment"]["packages"]["driftwood"] == "2.0"
    assert case.record(used)["environment"]["key"] == case.record(first)["environment"]["key"]

    install(environment, wheel(tmp_path, "tidewater", 1))
    assert case.ask().statuses == ALL_REUSED


ONCE = "import uuid\nprint('drawn', uuid.uuid4().hex)"
"""A cell that shows whether it was executed again."""


def test_case_17_saved_outputs_counts_and_ids_of_a_notebook_are_nothing(case_of: CaseOf) -> None:
    """Case 17: whoever saves a template after running it changes no key."""
    plain = notebook("# Told", "seen = None", CELL, ONCE)
    case = case_of({"reports/told.ipynb": plain})
    first = case.push()
    template = json.loads(plain)
    for number, cell in enumerate(template["cells"]):
        cell["id"] = f"other{number}"
        if cell["cell_type"] == "code":
            cell["execution_count"] = number + 7
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "old"}]
            cell["metadata"] |= {"collapsed": True}
    again = case.push({"reports/told.ipynb": json.dumps(template, indent=1)})
    assert again.statuses == ALL_REUSED
    assert again.row.html == first.row.html


def test_case_17_an_edit_of_markdown_renders_and_executes_nothing(case_of: CaseOf) -> None:
    """Case 17: new words stand around the numbers that were there."""
    case = case_of({"reports/told.ipynb": notebook("# Told", "seen = None", CELL, ONCE)})
    first = case.push()
    words = notebook("# Told again", "seen = None", CELL, "# And some words", ONCE)
    again = case.push({"reports/told.ipynb": words})
    assert again.statuses == ALL_REUSED
    assert again.jobs["report"].sentence.endswith("; its text was rendered anew")
    assert again.row.key == first.row.key
    assert again.printed == first.printed
    assert "drawn" in again.printed
    assert "And some words" in again.html
    assert "And some words" not in first.html


def _edit_and_put_back(folder: Path, meanwhile: Callable[[], None]) -> None:
    path = folder / "far.py"
    kept = path.stat()
    path.write_text(FAR.replace("FACTOR = 2", "FACTOR = 3"))
    meanwhile()
    path.write_text(FAR)
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def _move_and_put_back(folder: Path, meanwhile: Callable[[], None]) -> None:
    away = folder.with_name("away")
    folder.rename(away)
    shutil.copytree(away, folder)
    (folder / "far.py").write_text(FAR.replace("FACTOR = 2", "FACTOR = 3"))
    meanwhile()
    shutil.rmtree(folder)
    away.rename(folder)


@pytest.mark.parametrize("swap", [_edit_and_put_back, _move_and_put_back])
def test_case_14_a_script_edited_during_the_run_and_put_back_taints_its_result(
    case_of: CaseOf, tmp_path: Path, swap: Callable[[Path, Callable[[], None]], None]
) -> None:
    """Case 14: its key is the old one again, but not what was executed."""
    gate = tmp_path / "gate"
    body = (
        "from pathlib import Path\nimport time\n\n"
        "def pause(name):\n"
        f"    gate = Path({str(gate)!r})\n"
        "    gate.with_suffix(f'.{name}').touch()\n"
        "    while not gate.with_suffix(f'.after-{name}').exists():\n"
        "        time.sleep(0.02)\n\n"
        "def build():\n"
        "    pause('began')\n"
        "    from lib.middle import told\n"
        "    text = told()\n"
        "    pause('told')\n"
        "    return text\n"
    )
    case = case_of({"stages/made.py": body})

    def meanwhile() -> None:
        gate.with_suffix(".after-began").touch()
        wait_for(gate.with_suffix(".told").exists, "the stage to have imported it")

    with in_thread(case.work) as told:
        wait_for(gate.with_suffix(".began").exists, "the stage to be under way")
        time.sleep(0.05)
        swap(case.repository.path / "lib/deep", meanwhile)
        gate.with_suffix(".after-told").touch()
    (run,) = told
    assert case.text(run) == "far 3"
    assert case.record(run)["run"]["tainted"] is True
    after = case.work()
    assert (after.row.status, after.row.error) == ("finished", None)
    assert after.statuses["made"] == "executed", "what was tainted is never reused"
    assert case.text(after) == "far 2"
