"""Stages in other languages, and notebooks as stages: executed once, and again where due."""

import json
import shutil
from collections.abc import Callable

import pytest

from provenance.record import parse_record
from tests.pipeline.languages import (
    HELPER_R,
    MANIFEST,
    NUMBERS_CELL,
    PROJECT,
    SCALE_M,
    SUM_R,
)
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]
ALL = ("numbers", "scaled", "summed", "report")

octave = pytest.mark.skipif(not shutil.which("octave-cli"), reason="Octave is not installed")
rscript = pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")


@octave
@rscript
def test_a_notebook_an_octave_and_an_r_stage_run_once_and_again_where_something_changed(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = evaluate(repository).run
    assert first.statuses == dict.fromkeys(ALL, "executed"), first.row.error
    assert "total 100" in first.printed
    assert first.metrics == {"rows": 4.0}

    repository.commit({"README.md": "nothing of importance", "r/unused.R": "x <- 2\n"})
    again = evaluate(repository).run
    assert again.statuses == dict.fromkeys(ALL, "reused")

    repository.commit({"r/helper.R": HELPER_R.replace("sum(x)", "sum(x) + 1")})
    sourced = evaluate(repository).run
    assert sourced.statuses == {
        "numbers": "reused",
        "scaled": "reused",
        "summed": "executed",
        "report": "executed",
    }
    assert sourced.jobs["summed"].sentence == "code: r/helper.R changed"
    assert "total 101" in sourced.printed

    repository.commit({"factor.m": "function f = factor()\n  f = 100;\nend\n"})
    helped = evaluate(repository).run
    assert [name for name in ALL if helped.statuses[name] == "executed"] == list(ALL[1:])
    assert helped.jobs["scaled"].sentence == "code: factor.m changed"
    assert helped.jobs["summed"].sentence == "inputs: scaled changed"

    words = notebook("# Numbers\n\nCounted from one.", "count = 2", NUMBERS_CELL)
    repository.commit({"notebooks/numbers.ipynb": words})
    prose = evaluate(repository).run
    assert prose.statuses == dict.fromkeys(ALL, "reused")


@octave
def test_a_command_sees_only_the_files_that_it_stands_on(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    manifest = MANIFEST.replace(
        "scale('{inputs.numbers}', '{outputs.scaled}')",
        "disp(exist('r/sum.R')); disp(exist('data/extra.csv')); "
        "scale('{inputs.numbers}', '{outputs.scaled}')",
    )
    listed = manifest.replace(
        'outputs = { scaled = "scaled.csv" }',
        'outputs = { scaled = "scaled.csv" }\nfiles = ["data/*"]',
    )
    # The name in the text of the argument brings the file along; a pattern brings its files.
    files = PROJECT | {"provenote.toml": listed, "data/extra.csv": "1\n", "data/b.csv": "2\n"}
    run = evaluate(git_project(files)).run
    record = json.loads(evaluate.installation.store.read(str(run.jobs["scaled"].record)))
    paths = [file["path"] for file in record["code"]["files"]]
    code = ["factor.m", "r/helper.R", "r/sum.R", "scale.m"]
    assert paths == ["data/b.csv", "data/extra.csv", *code]
    assert record["kind"] == "command"
    assert "Octave" in record["preimage"]["environment"]["tool"]["version"]


def echoing(params: str, arguments: str) -> dict[str, str]:
    """Return a project whose report prints with which *arguments* its command was called."""
    manifest = f"""\
[project]
name = "argv"
{params}
[stages.echoed]
command = ["sh", "show.sh", "{{outputs.echoed}}", {arguments}]
outputs = {{ echoed = "echoed.txt" }}
[reports.shown]
template = "reports/shown.ipynb"
inputs = {{ echoed = "echoed" }}
"""
    return {
        "provenote.toml": manifest,
        "show.sh": 'file=$1; shift; IFS="|"; printf "%s" "$*" > "$file"\n',
        "reports/shown.ipynb": notebook("# S", "echoed = None", "print(open(echoed).read())"),
    }


def test_arguments_are_given_as_they_are_and_no_shell_reads_them(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    text = "a b; touch /tmp/never $(id) 'x'"
    param = '[params.text]\ntype = "text"\ndefault = "plain"'
    repository = git_project(echoing(param, '"{params.text}"'), name="argv")
    run = evaluate.execute(evaluate.ask(repository, "shown", {"text": text}))
    assert run.verdict == "passed", run.row.error
    assert run.printed.strip() == text

    repository.commit(echoing(param, '"text={params.text}"'))
    refused = evaluate.execute(evaluate.ask(repository, "shown", {"text": text}))
    assert refused.verdict == "error"
    for told in ("Stage echoed", "parameter text", "inside the argument 'text={params.text}'"):
        assert told in refused.error["message"]
    assert "{params.text}" in refused.error["hint"]
    fine = evaluate.execute(evaluate.ask(repository, "shown", {"text": "plain-words"}))
    assert fine.printed.strip() == "text=plain-words"


def test_choices_of_the_manifest_may_be_anything_in_an_argument_and_free_text_no_option(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    params = """\
[params.how]
type = "text"
default = "--plain"
choices = ["--plain", "/a b/"]
[params.free]
type = "text"
default = "x"
"""
    arguments = '"{params.how}", "how={params.how}", "{params.free}"'
    repository = git_project(echoing(params, arguments), name="argv")
    for how in ("--plain", "/a b/"):
        run = evaluate.execute(evaluate.ask(repository, "shown", {"how": how}))
        assert run.verdict == "passed", run.row.error
        assert run.printed.strip() == f"{how}|how={how}|x"
    refused = evaluate.execute(evaluate.ask(repository, "shown", {"free": "--evil"}))
    assert refused.verdict == "error"
    assert "Stage echoed: parameter free is '--evil'" in refused.error["message"]
    assert "would be read as an option of sh" in refused.error["message"]
    assert '"--"' in refused.error["hint"]


def test_a_list_of_choices_is_a_text_like_others_in_an_argument(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    param = '[params.words]\ntype = "list"\nchoices = ["a", "b"]\ndefault = ["a"]'
    repository = git_project(echoing(param, '"{params.words}", "w={params.words}"'), name="argv")
    refused = evaluate.execute(evaluate.ask(repository, "shown", {"words": ["b", "a"]}))
    assert refused.verdict == "error"
    assert "inside the argument 'w={params.words}'" in refused.error["message"]
    repository.commit(echoing(param, '"{params.words}"'))
    fine = evaluate.execute(evaluate.ask(repository, "shown", {"words": ["b", "a"]}))
    assert fine.printed.strip() == '["b", "a"]'


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ('["sh", "-c", "exit 3"]', "sh ended with exit status 3."),
        ('["sh", "-c", "echo gone >&2; kill -9 $$"]', "signal 9"),
        ('["sh", "-c", "true"]', "left no output made (made.txt)"),
        ('["no-such-program", "x"]', "no-such-program"),
    ],
)
def test_a_command_that_comes_to_nothing_is_told(
    evaluate: Bench, git_project: MakeRepository, command: str, message: str
) -> None:
    manifest = f"""\
[project]
name = "failing"
[stages.made]
command = {command}
outputs = {{ made = "made.txt" }}
[reports.shown]
template = "reports/shown.ipynb"
inputs = {{ made = "made" }}
on = ["push"]
"""
    files = {
        "provenote.toml": manifest,
        "reports/shown.ipynb": notebook("# S", "made = None", "print(made)"),
    }
    run = evaluate(git_project(files, name="failing")).run
    assert run.verdict == "error"
    assert message in run.error["message"]


def test_an_executable_script_of_the_project_is_a_program(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    manifest = """\
[project]
name = "script"
[stages.made]
command = ["./make.py", "{outputs.made}"]
outputs = { made = "made.txt" }
[reports.shown]
template = "reports/shown.ipynb"
inputs = { made = "made" }
on = ["push"]
"""
    script = (
        "#!/usr/bin/env python3\nimport sys, traitlets\nopen(sys.argv[1], 'w').write('made it')\n"
    )
    files = {
        "provenote.toml": manifest,
        "make.py": script,
        "reports/shown.ipynb": notebook("# S", "made = None", "print(open(made).read())"),
    }
    repository = git_project(files, name="script")
    (repository.path / "make.py").chmod(0o755)
    repository.commit({"README.md": "executable"})
    run = evaluate(repository).run
    assert run.verdict == "passed", run.row.error
    assert run.printed.strip() == "made it"
    record = parse_record(evaluate.installation.store.read(str(run.jobs["made"].record)))
    # It runs in the project's environment: another version of what it imports is another key.
    assert "traitlets" in record.preimage["environment"]["distributions"]


def test_a_notebook_stage_that_leaves_nothing_says_what_it_left(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    cell = NUMBERS_CELL.replace("numbers.csv", "other.csv")
    files = PROJECT | {"notebooks/numbers.ipynb": notebook("# N", "count = 2", cell)}
    run = evaluate(git_project(files)).run
    assert run.verdict == "error"
    assert run.error["stage"] == "numbers"
    assert "it left other.csv" in run.error["message"]
    failing = PROJECT | {"notebooks/numbers.ipynb": notebook("# N", "count = 2", "1 / 0")}
    failed = evaluate(git_project(failing, name="failing")).run
    assert "division by zero" in failed.error["message"]


@octave
@rscript
def test_a_comment_in_a_script_executes_at_most_that_stage(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    evaluate(repository)
    repository.commit({"scale.m": SCALE_M.replace("every", "each"), "r/sum.R": SUM_R + "# end\n"})
    run = evaluate(repository).run
    assert run.statuses["numbers"] == "reused"
    assert run.statuses["report"] == "reused"
