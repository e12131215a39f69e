"""A program that a script starts counts as the command's own does, with its packages."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.installation import Installation
from pipeline.isolation import IsolationWanted
from pipeline.stages import programs
from pipeline.workplace import program_path
from provenance.identity import asking
from provenance.ledger.tables import Run
from tests.support.evaluations import Bench, Told
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]
octave = pytest.mark.skipif(not shutil.which("octave-cli"), reason="Octave is not installed")
rscript = pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")
system_python = pytest.mark.skipif(
    not Path("/usr/bin/python3").exists(), reason="the system has no Python"
)
MANIFEST = """\
[project]
name = "started"
[stages.made]
command = ["sh", "run.sh", "{outputs.made}"]
outputs = { made = "made.txt" }
[reports.shown]
template = "reports/shown.ipynb"
inputs = { made = "made" }
on = ["push"]
"""


def project(script: str, **files: str) -> dict[str, str]:
    named = {name.replace("_", "."): text for name, text in files.items()}
    shown = notebook("# S", "made = None", "print(open(made).read())")
    return {
        "provenote.toml": MANIFEST,
        "run.sh": f"set -e\n{script}\n",
        "reports/shown.ipynb": shown,
        **named,
    }


def environment(bench: Bench, run: Told) -> dict[str, Any]:
    assert run.verdict == "passed", run.row.error
    record = json.loads(bench.installation.store.read(str(run.jobs["made"].record)))
    found: dict[str, Any] = record["preimage"]["environment"]
    return found


@pytest.fixture
def first_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Programs that are found before those of the system, by who looks what there is."""
    folder = tmp_path / "first"
    folder.mkdir()
    monkeypatch.setattr(programs, "program_path", lambda venv: f"{folder}:{program_path(venv)}")

    def put(name: str, text: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)

    return put


@rscript
def test_r_that_a_shell_script_starts_counts_with_the_packages_that_its_script_loads(
    evaluate: Bench,
    git_project: MakeRepository,
    first_on_path: Callable[[str, str], None],
    tmp_path: Path,
) -> None:
    library = tmp_path / "library"

    def install(name: str, version: str) -> None:
        (library / name).mkdir(parents=True, exist_ok=True)
        (library / name / "DESCRIPTION").write_text(f"Package: {name}\nVersion: {version}\n")

    install("used", "1.0")
    install("unused", "1.0")
    found = shutil.which("Rscript")
    first_on_path("Rscript", f'R_LIBS={library} exec {found} "$@"')
    script = 'requireNamespace("used")\ncat(R.version$major, file = commandArgs(TRUE)[1])\n'
    repository = git_project(project('Rscript a.R "$1"', a_R=script))
    run = evaluate(repository).run
    told = environment(evaluate, run)["starts Rscript"]
    assert told["version"].startswith("Rscript (R) version")
    assert list(told["packages"]) == ["used"]
    assert told["packages"]["used"].startswith("1.0 record:")

    install("unused", "2.0")
    repository.commit({"README.md": "1"})
    assert evaluate(repository).run.statuses["made"] == "reused"
    install("used", "2.0")
    repository.commit({"README.md": "2"})
    upgraded = evaluate(repository).run
    assert upgraded.statuses["made"] == "executed"
    assert "starts Rscript" in str(upgraded.jobs["made"].sentence)


@octave
def test_another_octave_below_a_shell_script_executes_it_again(
    evaluate: Bench, git_project: MakeRepository, first_on_path: Callable[[str, str], None]
) -> None:
    code = "f = fopen(argv(){end}, 'w'); fputs(f, 'made it'); fclose(f);\n"
    repository = git_project(project('octave-cli a.m "$1"', a_m=code))
    run = evaluate(repository).run
    told = environment(evaluate, run)["starts octave-cli"]
    assert told["version"].startswith("GNU Octave, version")
    assert run.printed.strip() == "made it"
    first_on_path("octave-cli", "echo GNU Octave, version 99")
    repository.commit({"README.md": "1"})
    upgraded = evaluate(repository).run
    assert upgraded.statuses["made"] == "executed"


@system_python
def test_the_systems_python_counts_by_what_it_has_installed_and_not_by_the_projects_environment(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    code = "import sys\nopen(sys.argv[1], 'w').write(sys.executable)\n"
    repository = git_project(project('/usr/bin/python3 a.py "$1"', a_py=code))
    run = evaluate(repository).run
    told = environment(evaluate, run)["starts /usr/bin/python3"]
    assert run.printed.strip() == "/usr/bin/python3"
    assert told["version"].startswith("Python 3.")
    assert told["version"].removeprefix("Python ") == told["packages"]["python"]
    assert told["packages"]["distributions"] == {}

    repository.commit({"run.sh": 'set -e\n/usr/bin/python3 - "$1" < a.py\n'})
    everything = environment(evaluate, evaluate(repository).run)["starts /usr/bin/python3"]
    assert len(everything["packages"]["distributions"]) > 0


def test_what_a_script_names_and_nobody_has_installed_is_no_error(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    script = 'if false; then julia a.jl; fi\nprintf x > "$1"'
    run = evaluate(git_project(project(script, a_jl="x = 1\n"))).run
    told = environment(evaluate, run)
    assert shutil.which("julia") is not None or told["starts julia"] is None
    assert told["tool"]["path"]


def test_a_run_whose_program_does_not_answer_in_time_goes_back_to_the_queue(
    evaluate: Bench,
    git_project: MakeRepository,
    first_on_path: Callable[[str, str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    busy = tmp_path / "busy"
    busy.touch()
    first_on_path("julia", f"[ -e {busy} ] && sleep 600; echo julia version 1.9.3")
    script = 'if false; then julia a.jl; fi\nprintf x > "$1"'
    repository = git_project(project(script, a_jl="x = 1\n"))
    with monkeypatch.context() as impatient:
        impatient.setattr(asking, "_SECONDS", 2)  # a shell starts in time, also on a busy machine
        impatient.setattr(asking, "_PATIENCE", 1)
        postponed = evaluate(repository).run
    assert (postponed.row.status, postponed.error["kind"]) == ("queued", "no_answer")
    assert "julia did not end within 2 s" in postponed.error["message"]
    busy.unlink()
    with evaluate.installation.ledger.writing() as session:
        session.get_one(Run, postponed.row.id).run_after = None
    told = environment(evaluate, evaluate.execute(postponed.row.id))
    assert told["starts julia"]["version"] == "julia version 1.9.3"


def test_a_program_of_the_project_is_never_asked_for_its_version(
    evaluate: Bench, git_project: MakeRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Folders of tests lie where anybody may write, which alone would keep it from being asked.
    monkeypatch.setattr(asking, "_is_ours", lambda place: True)
    asked = tmp_path / "asked"
    manifest = MANIFEST.replace('"sh", "run.sh"', '"./tool"')
    script = f'#!/bin/sh\n[ "$1" = --version ] && touch {asked}\nprintf x > "$1"\n'
    repository = git_project(project("", tool=script) | {"provenote.toml": manifest})
    (repository.path / "tool").chmod(0o755)
    repository.commit({"README.md": "executable"})
    told = environment(evaluate, evaluate(repository).run)
    assert told["tool"]["path"].endswith("sh")
    assert not asked.exists()

    # Isolated code sees nothing of another project.
    evaluate.installation = replace(evaluate.installation, isolation=IsolationWanted("none"))
    # Nor does its whole path, from another project, make a program of the system of it: also
    # where the folder of the environments is elsewhere.
    elsewhere = tmp_path / "environments"
    evaluate.installation.environments.rename(elsewhere)
    monkeypatch.setattr(Installation, "environments", elsewhere)
    (laid,) = evaluate.installation.checkouts.glob("*/*/tool")
    manifest = MANIFEST.replace('"sh", "run.sh"', f'"{laid}"')
    other = git_project(project("") | {"provenote.toml": manifest}, name="other")
    told = environment(evaluate, evaluate(other).run)
    assert told["tool"] | {"sha256": ""} == {"path": str(laid), "version": "", "sha256": ""}
    assert not asked.exists()
