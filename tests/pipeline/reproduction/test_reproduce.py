"""Runs that are made again: the answer, and that nothing else hears of them."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.intake.again import CannotBeginError, NotOverError
from provenance.explain.load import explain_runs
from provenance.identity.key import Preimage
from provenance.ledger.queries.cases import CaseNames, cases_of
from provenance.ledger.queries.evaluations import latest_evaluations
from provenance.ledger.queries.history import Filter, report_history
from provenance.ledger.queries.home import needs_attention
from provenance.ledger.queries.latest import Wanted, newest_run, verdicts_of_report
from provenance.ledger.queries.matrix import project_matrix
from provenance.ledger.queries.trends import report_trends
from provenance.ledger.search import RunFilter, search_runs
from provenance.ledger.tables import Commit, Run, RunJob, StageRecord
from provenance.record import keep_record, parse_record
from tests.pipeline.weather import PROJECT, single, staged
from tests.support.again import answers, reproduce, whole
from tests.support.evaluations import Bench, Told
from tests.support.repository import Repository, notebook

Git = Callable[..., Repository]


def test_a_run_whose_code_knows_no_chance_is_identical(evaluate: Bench, git_project: Git) -> None:
    first = evaluate(git_project(PROJECT)).run
    found = reproduce(evaluate, first.row.id)
    assert found.answer == "identical", found.sentence
    assert found.sentence == "Identical: 2 stages and 2 cells gave the same."
    assert (found.run_id, found.actor) == (first.row.id, "ada")
    again = evaluate.run(str(found.again))
    assert again.statuses == {"table": "executed", "total": "executed", "report": "executed"}
    assert again.row.key == first.row.key
    assert again.row.record != first.row.record


def test_what_is_never_the_same_twice_is_set_aside_and_said(
    evaluate: Bench, git_project: Git
) -> None:
    cell = (
        "import os, tempfile, time, uuid, datetime\n"
        "print(object(), tempfile.mkdtemp(), uuid.uuid4(), 'pid', os.getpid())\n"
        "print(datetime.datetime.now(), datetime.datetime.now(datetime.UTC), time.time())\n"
        "print('Wall time:', time.perf_counter(), 's')"
    )
    first = evaluate(git_project(single(notebook("# Title", "level = 1", cell)))).run
    found = reproduce(evaluate, first.row.id)
    assert found.answer == "identical", found.details
    assert found.details["aside"] == ["cell 3"]


def test_an_unseeded_random_number_differs_at_its_cell(evaluate: Bench, git_project: Git) -> None:
    cells = (
        "# Title",
        "level = 1",
        "print('steady', level)",
        "import random\nprint(random.random())",
    )
    first = evaluate(git_project(single(notebook(*cells)))).run
    found = reproduce(evaluate, first.row.id)
    assert found.answer == "differs"
    assert (found.details["cell"], found.details["began"]) == (4, "cell 4")
    assert found.sentence.startswith("Differs at cell 4: it prints 0.")
    (finding,) = found.details["findings"]
    assert finding["before"] == first.printed.splitlines()[-1]
    with evaluate.installation.ledger.reading() as session:
        store = evaluate.installation.store
        told = explain_runs(session, store, first.row.id, str(found.again))
    assert told.sentence.startswith("Nothing recorded differs, and yet the results do")


def test_a_number_that_jitters_in_its_last_digits_is_within_tolerance(
    evaluate: Bench, git_project: Git
) -> None:
    cell = "import random\nprint('mean', repr(0.25 + 1e-12 * (1 + random.random())))"
    first = evaluate(git_project(single(notebook("# Title", "level = 1", cell)))).run
    found = reproduce(evaluate, first.row.id)
    assert found.answer == "within_tolerance", found.sentence
    largest = found.details["largest"]
    assert (largest["where"], 0 < largest["relative"] < 1e-11) == ("cell 3", True)
    assert reproduce(evaluate, first.row.id, tolerance=0).answer == "differs"
    assert [one.answer for one in answers(evaluate, first.row.id)] == [
        "differs",
        "within_tolerance",
    ]


def test_a_stage_that_gives_other_bytes_is_where_it_began(
    evaluate: Bench, git_project: Git
) -> None:
    files = staged("import random\ndef build():\n    return f'{random.random()}'\n")
    files["reports/daily.ipynb"] = notebook("# T", "made = None", "print(open(made).read())")
    first = evaluate(git_project(files)).run
    found = reproduce(evaluate, first.row.id)
    assert (found.answer, found.details["began"]) == ("differs", "stage made")
    assert found.sentence.startswith("Differs at stage made: it gives output with 0.")
    assert "shows it first in cell 3" in found.sentence


def test_a_stage_whose_bytes_differ_without_effect_is_told_all_the_same(
    evaluate: Bench, git_project: Git
) -> None:
    files = staged("import os\ndef build():\n    return os.urandom(20)\n")
    files["reports/daily.ipynb"] = notebook("# T", "made = None", "print('as ever')")
    found = reproduce(evaluate, evaluate(git_project(files)).run.row.id)
    assert found.answer == "differs"
    assert found.sentence.endswith("The report shows the same all the same.")


def test_the_same_table_in_other_bytes_is_the_same(evaluate: Bench, git_project: Git) -> None:
    files = staged(
        "import os, provenote, pyarrow\nfrom pyarrow import parquet\ndef build():\n"
        "    table = pyarrow.table({'x': [0.5, None], 'name': ['a', 'b']})\n"
        "    table = table.replace_schema_metadata({'by': os.urandom(8).hex()})\n"
        "    path = provenote.output('made.parquet')\n"
        "    parquet.write_table(table, path)\n    return path\n"
    )
    files["reports/daily.ipynb"] = notebook("# T", "made = None", "print('rows')")
    first = evaluate(git_project(files)).run
    found = reproduce(evaluate, first.row.id)
    assert found.answer == "identical", found.details
    assert (found.details["aside"], found.details["other_bytes"]) == ([], ["stage made, output"])
    assert found.sentence.endswith(" Other bytes, equal values: stage made, output.")


def test_the_same_error_is_identical_and_another_one_is_not(
    evaluate: Bench, git_project: Git
) -> None:
    files = staged("def build():\n    raise ValueError('no tide today')\n")
    first = evaluate(git_project(files)).run
    found = reproduce(evaluate, first.row.id)
    assert found.answer == "identical", found.sentence
    assert "no tide today" in found.sentence
    other = staged("import random\ndef build():\n    raise ValueError(random.random())\n")
    second = evaluate(git_project(other, name="other")).run
    found = reproduce(evaluate, second.row.id)
    assert (found.answer, found.details["began"]) == ("differs", "stage made")


def test_a_cell_that_raises_now_is_where_it_differs(evaluate: Bench, git_project: Git) -> None:
    cell = "import os\nassert not os.path.exists('{0}')\nopen('{0}', 'w').close()"
    repository = git_project({"README.md": "made for its folder"})
    flag = repository.path.parent / "flag"
    body = cell.format(flag) + "\nprint('first')"
    repository.commit(single(notebook("# T", "level = 1", body, "print('end')")))
    first = evaluate(repository).run
    assert first.verdict == "passed"
    found = reproduce(evaluate, first.row.id)
    assert (found.answer, found.details["cell"]) == ("differs", 3)


def test_uncommitted_changes_cannot_be_had_again(evaluate: Bench, git_project: Git) -> None:
    first = evaluate(git_project(PROJECT)).run
    with evaluate.installation.ledger.writing() as session:
        session.get_one(Run, first.row.id).dirty = "d" * 64
    with pytest.raises(CannotBeginError) as caught:
        reproduce(evaluate, first.row.id)
    (found,) = answers(evaluate, first.row.id)
    assert (found.answer, found.again) == ("cannot", None)
    assert found.sentence == caught.value.message
    assert "because it ran with uncommitted changes" in found.sentence


def test_a_run_that_goes_on_has_nothing_to_reproduce(evaluate: Bench, git_project: Git) -> None:
    run_id = evaluate.ask(git_project(PROJECT), "daily")
    with pytest.raises(NotOverError):
        reproduce(evaluate, run_id)


def test_a_commit_that_is_gone_cannot_be_had_again(evaluate: Bench, git_project: Git) -> None:
    repository = git_project(PROJECT)
    first = evaluate(repository).run
    with evaluate.installation.ledger.writing() as session:
        session.get_one(Run, first.row.id).commit_sha = "0" * 40
        row = first.row
        session.add(
            Commit(
                project_id=row.project_id, sha="0" * 40, subject="lost", author="ada",
                committed_at=row.created_at, parent=None,
            )
        )  # fmt: skip
    found = reproduce(evaluate, first.row.id)
    assert (found.answer, "no branch, tag or commit" in found.sentence) == ("cannot", True)


def test_another_environment_is_named_and_nothing_is_executed(
    evaluate: Bench, git_project: Git
) -> None:
    first = evaluate(git_project(PROJECT)).run
    store = evaluate.installation.store
    record = parse_record(store.read(str(first.row.record)))
    old = Preimage.from_json(record.preimage)
    old = replace(old, environment={**old.environment, "python": "2.7.18"})
    made = keep_record(store, replace(record, preimage=old.to_json())).sha256
    with evaluate.installation.ledger.writing() as session:
        session.get_one(RunJob, (first.row.id, 2)).record = made
    found = reproduce(evaluate, first.row.id)
    assert found.answer == "cannot"
    assert "the environment of the report is another one: python 2.7.18 →" in found.sentence
    assert "report" not in evaluate.run(str(found.again)).statuses


def test_nothing_else_hears_of_a_reproduction(evaluate: Bench, git_project: Git) -> None:
    chance = "import random, provenote\nx = random.random()\nprovenote.metric('x', x)\n"
    chance += "provenote.check(False, 'never')"
    files = single(notebook("# T", "level = 1", chance))
    repository = git_project(files)
    first = evaluate(repository).run
    before = _everything(evaluate, first)
    found = reproduce(evaluate, first.row.id)
    assert found.answer == "differs"
    assert _everything(evaluate, first) == before
    asked = evaluate.ask(repository, "daily")
    assert evaluate.execute(asked).statuses == {"report": "reused"}
    assert evaluate.run(asked).row.reused_from == first.row.id


def _everything(bench: Bench, first: Told) -> str:
    """Return what lists, links and charts tell of the project of *first*."""
    row = first.row
    with bench.installation.ledger.reading() as session:
        wanted = Filter(row.project_id, row.report)
        names = CaseNames({})
        told = [
            newest_run(session, row.project, row.report, Wanted()),
            verdicts_of_report(session, row.project_id, row.report, "main"),
            report_history(session, wanted),
            report_trends(session, wanted, names),
            cases_of(session, [(row.project_id, row.report)]),
            needs_attention(session),
            latest_evaluations(session),
            [list(found.cells.items()) for found in project_matrix(session, row.project).rows],
            [run.id for run in search_runs(session, RunFilter(), 50, None).runs],
            session.scalar(select(func.count()).select_from(StageRecord)),
        ]
    actions = sorted(str(path) for path in bench.installation.store.root.glob("actions/*/*/*"))
    return json.dumps([told, actions], default=str)


def test_a_reproduction_is_found_by_its_purpose(evaluate: Bench, git_project: Git) -> None:
    first = evaluate(git_project(PROJECT)).run
    found = reproduce(evaluate, first.row.id)
    with evaluate.installation.ledger.reading() as session:
        runs = search_runs(session, RunFilter(purpose="reproduce"), 50, None).runs
        assert [run.id for run in runs] == [found.again]
    again = whole(evaluate, str(found.again))
    assert (again.again_of, again.evaluation.trigger) == (first.row.id, "reproduce")
    assert again.data == {"tolerance": 1e-9}
