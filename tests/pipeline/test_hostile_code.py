"""What users' code puts in the place of what we read afterwards, and what it hands us."""

from collections.abc import Callable

import pytest

from tests.pipeline.weather import single, staged
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]
CONTEXT = "import json, os\ncontext = json.load(open(os.environ['PROVENOTE_CONTEXT']))\n"


@pytest.mark.parametrize(
    "deed",
    [
        "os.path.exists(context['results']) and os.remove(context['results'])\n"
        "os.mkfifo(context['results'])",
        "os.symlink('/dev/zero', context['results'])",
        "os.mkdir(context['results'])",
    ],
)
def test_results_that_are_no_file_end_the_run_at_once(
    evaluate: Bench, git_project: MakeRepository, deed: str
) -> None:
    done = evaluate(git_project(single(notebook("# Page", CONTEXT + deed))))
    assert (done.verdict, done.run.error["kind"]) == ("error", "results")
    assert done.run.row.seconds < 60


def test_a_check_is_never_left_out_because_there_are_many(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    cell = (
        "import provenote\n"
        "for n in range(15_000):\n    provenote.metric('loss', n)\n"
        "provenote.check(False, 'the last word')"
    )
    done = evaluate(git_project(single(notebook(cell))))
    assert done.verdict == "failed"
    assert done.run.metrics == {"loss": 14_999.0}


def test_results_beyond_all_bounds_are_an_error_and_not_a_pass(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    cell = CONTEXT + "open(context['results'], 'a').write('x' * 10_000_000)"
    done = evaluate(git_project(single(notebook(cell))))
    assert (done.verdict, done.run.error["kind"]) == ("error", "results")


def test_nonsense_among_the_results_is_passed_over(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    cell = CONTEXT + (
        "huge = '1' + '0' * 400\n"
        "half = chr(92) + 'ud800 ' + chr(92) + 'u0000'\n"
        "lines = ['{', '[]', 'null', '[' * 100_000,\n"
        '  \'{"metric": {"name": "a", "value": \' + huge + \'}}\',\n'
        '  \'{"check": {"ok": true, "message": "half \' + half + \'"}}\']\n'
        "open(context['results'], 'a').write('\\n'.join(lines) + '\\n')"
    )
    done = evaluate(git_project(single(notebook(cell))))
    assert done.verdict == "passed"
    assert list(done.run.checks) == ["half ? "]


def test_an_output_must_lie_where_outputs_belong(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    body = CONTEXT + (
        "def build():\n"
        "    path = os.environ['PROVENOTE_CONTEXT'].replace('context.json', 'result.json')\n"
        "    secret, media = '/proc/self/environ', 'text/plain'\n"
        "    output = {'name': 'output', 'path': secret, 'media_type': media}\n"
        "    open(path, 'w').write(json.dumps({'status': 'ok', 'outputs': [output]}))\n"
        "    os._exit(0)\n"
    )
    done = evaluate(git_project(staged(body)))
    assert (done.verdict, done.run.error["kind"]) == ("error", "bad_output")


def test_an_exception_with_half_a_character_is_told(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    done = evaluate(git_project(staged("def build():\n    raise Exception('\\ud800 half')\n")))
    assert done.verdict == "error"
    done.run.error["message"].encode()
    assert "half" in done.run.error["message"]


def test_a_child_that_goes_on_printing_does_not_keep_its_stage_running(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    body = (
        "import subprocess\n"
        "def build():\n"
        "    subprocess.Popen(['sh', '-c', 'while true; do echo noise; sleep 0.02; done'])\n"
        "    return 'done'\n"
    )
    done = evaluate(git_project(staged(body)))
    assert done.verdict == "passed"
    assert done.run.row.seconds < 60


def test_output_without_end_is_cut_and_said(evaluate: Bench, git_project: MakeRepository) -> None:
    cell = "for _ in range(120):\n    print('x' * 1_000_000)"
    done = evaluate(git_project(single(notebook("print('first')", cell, "print('last')"))))
    assert done.verdict == "output_limit"
    assert "100,000,000 characters" in done.run.error["message"]
    assert "first" in done.run.html
