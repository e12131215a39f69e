"""Evaluations that do not pass: what users' code did is a result, told where it happened."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from provenance.ledger.states import Status
from provenance.ledger.tables import RunEvent
from tests.pipeline.weather import single, staged
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]
FIRST = "import provenote\nprovenote.metric('seen', 1)\nprint('finished ' + 'cell')"


def test_a_check_that_fails_fails_the_run_and_its_page_stands_for_the_next(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    cell = "import provenote\nprovenote.check(False, 'it is warm')\nprovenote.check(True, 'dry')"
    repository = git_project(single(notebook(cell, "print('and on')")))
    done = evaluate(repository)
    assert (done.verdict, done.run.verdict, done.run.row.error) == ("failed", "failed", None)
    assert done.run.checks == {"it is warm": False, "dry": True}
    assert "and on" in done.run.printed
    assert "it is warm" in done.run.html
    again = evaluate.execute(evaluate.ask(repository, "daily"))
    assert (again.verdict, again.row.reused) == ("failed", True)
    assert again.checks == done.run.checks


@pytest.mark.parametrize(
    ("cell", "kind", "words"),
    [
        ("frame = {}\nframe['rain']", "exception", "KeyError: 'rain'"),
        ("import sys\nsys.exit()", "exit", "sys.exit"),
        ("import sys\nsys.exit(0)", "exit", "the cells after it never ran"),
        ("import sys\nsys.exit(3)", "exit", "sys.exit(3)"),
        ("def broken(:", "exception", "SyntaxError"),
        ("import surely_not_installed", "exception", "surely_not_installed"),
        ("import os\nos.kill(os.getpid(), 9)", "died", "death of its kernel"),
        ("import os\nos._exit(0)", "died", "death of its kernel"),
    ],
)
def test_a_template_that_ends_early_keeps_its_page_with_what_it_had_finished(
    evaluate: Bench, git_project: MakeRepository, cell: str, kind: str, words: str
) -> None:
    repository = git_project(single(notebook("# Page", FIRST, cell, "print('never ' + 'run')")))
    done = evaluate(repository)
    run = done.run
    assert (done.verdict, run.verdict, run.row.status) == ("error", "error", Status.FINISHED)
    assert run.error["kind"] == kind
    assert words in run.error["message"]
    assert run.error["where"] == "cell 3"
    assert run.metrics == {"seen": 1.0}
    assert "finished cell" in run.printed
    assert "never run" not in run.printed
    assert "finished cell" in run.html
    if kind == "exception":
        assert words.partition(":")[0] in run.error["traceback"]
        assert words.partition(":")[0] in run.html
        assert "\x1b" not in run.error["traceback"]
    assert repository.head in str(run.record["code"]["commit"])


def test_an_error_is_no_result_to_reuse(evaluate: Bench, git_project: MakeRepository) -> None:
    repository = git_project(single(notebook("1 / 0")))
    first = evaluate(repository).run
    assert first.error["message"] == "ZeroDivisionError: division by zero"
    second = evaluate.execute(evaluate.ask(repository, "daily"))
    assert second.statuses == {"report": "executed"}
    assert second.verdict == "error"


def test_a_cell_that_may_fail_stops_nothing(evaluate: Bench, git_project: MakeRepository) -> None:
    template = notebook("1 / 0", "print('and ' + 'on')", tagged=0)
    template = template.replace('"parameters"', '"raises-exception"')
    run = evaluate(git_project(single(template))).run
    assert (run.verdict, run.row.error) == ("passed", None)
    assert "and on" in run.printed


@pytest.mark.parametrize(
    ("body", "kind", "message", "where"),
    [
        (
            "from stages import helper\ndef build():\n    return helper.work()\n",
            "exception",
            "KeyError: 'rain'",
            "stages/helper.py:2",
        ),
        ("def build():\n    pass\n", "no_output", "nothing (None)", ""),
        ("def build():\n    return 3.5\n", "bad_output", "returned float", ""),
        ("import sys\ndef build():\n    sys.exit(2)\n", "exception", "SystemExit", ""),
        ("import nowhere_at_all\ndef build():\n    pass\n", "import", "nowhere_at_all", ""),
        ("import os\ndef build():\n    os._exit(4)\n", "died", "exit status 4", ""),
        ("def build(wind):\n    return wind\n", None, "wind", ""),
    ],
)
def test_a_stage_that_comes_to_nothing_is_told_with_its_place(
    evaluate: Bench,
    git_project: MakeRepository,
    body: str,
    kind: str | None,
    message: str,
    where: str,
) -> None:
    helper = {"stages/helper.py": "def work():\n    return {}['rain']\n"}
    done = evaluate(git_project(staged(f"print('begun')\n{body}") | helper))
    if kind is None:  # found before anything runs
        assert message in str(done.row.error)
        return
    run = done.run
    assert (run.verdict, run.row.html, run.row.notebook) == ("error", None, None)
    assert (run.error["kind"], run.error["stage"]) == (kind, "made")
    assert message in run.error["message"]
    assert where in (run.error["where"] or "")
    assert "begun" in run.log or kind == "import"
    if where:
        assert "stages/helper.py" in run.error["traceback"]
        assert str(evaluate.installation.home) not in run.error["traceback"]
    assert run.statuses == {}


def test_a_stage_may_leave_several_outputs(evaluate: Bench, git_project: MakeRepository) -> None:
    body = "def build():\n    return {'train': 'a b', 'test': b'c'}\n"
    files = staged(body, "outputs = ['train', 'test']\n")
    cell = "for name in sorted(made): print(name, open(made[name], 'rb').read())"
    files["reports/daily.ipynb"] = notebook("made = None", cell)
    files["provenote.toml"] = files["provenote.toml"].replace(
        'made = "made" }', 'made = "made", only = "made.test" }'
    )
    run = evaluate(git_project(files)).run
    assert run.verdict == "passed", run.row.error
    assert run.printed == "test b'c'\ntrain b'a b'\n"
    assert {one.name for one in run.row.inputs} == {"made.train", "made.test", "only"}


def test_outputs_other_than_the_declared_ones_are_refused(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    body = "def build():\n    return {'train': 'a', 'extra': 'b'}\n"
    run = evaluate(git_project(staged(body, "outputs = ['train', 'test']\n"))).run
    assert (run.verdict, run.error["kind"]) == ("error", "outputs")
    assert "left extra, train" in run.error["message"]
    assert "says test, train" in run.error["message"]


def test_an_environment_that_cannot_be_built_is_told_in_the_resolvers_words(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    files = single(notebook("1"), "[environment]\nfrom = 'requirements.txt'\n")
    files["requirements.txt"] = "./missing-1.0-py3-none-any.whl\n"
    run = evaluate(git_project(files)).run
    assert (run.verdict, run.error["kind"]) == ("error", "environment")
    assert "missing-1.0-py3-none-any.whl" in run.error["message"]


def test_numbers_that_are_none_are_kept_as_missing(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    cell = "import provenote\nfor n, v in [('a', float('nan')), ('b', float('inf')), ('c', 2)]:\n"
    cell += "    provenote.metric(n, v)\nprovenote.metric('c', 3, 'm', better='lower')"
    run = evaluate(git_project(single(notebook(cell)))).run
    assert run.metrics == {"a": None, "b": None, "c": 3.0}
    (last,) = [metric for metric in run.row.metrics if metric.name == "c"]
    assert (last.unit, last.better) == ("m", "lower")


def test_a_template_that_prints_without_end_leaves_a_worker_that_goes_on(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    cell = "for number in range(20_000): print('line', number)"
    run = evaluate(git_project(single(notebook(cell, "print('end')")))).run
    assert run.verdict == "passed", run.row.error
    assert "line 19999" in run.printed or "end" in run.printed
    with evaluate.installation.ledger.reading() as session:
        assert session.scalar(select(func.count()).select_from(RunEvent)) == 0


def test_files_that_a_template_leaves_are_kept_and_links_are_not(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    cell = "import os, provenote\nprovenote.output('maps/a.csv').write_text('x')\n"
    cell += "os.symlink('/etc/passwd', provenote.output('maps/b.csv'))"
    run = evaluate(git_project(single(notebook(cell)))).run
    assert run.verdict == "passed", run.row.error
    outputs: dict[str, Any] = {output["name"]: output for output in run.record["outputs"]}
    assert set(outputs) == {"notebook", "html", "file:maps/a.csv"}
    assert evaluate.installation.store.read(outputs["file:maps/a.csv"]["sha256"]) == b"x"
