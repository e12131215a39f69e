"""Each difference has one cause, and the explanation names it: nothing less, nothing more."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.explain.model import Kind
from provenance.story import JobFacts
from tests.pipeline.weather import CELL, DAILY, MANIFEST, PROJECT, TABLE, single, staged
from tests.provenance.explain.conftest import Explainer, MakeRepository, only, with_job
from tests.support.repository import notebook

SQL = """
[sources.replica]
url_env = "REPLICA"
[stages.rows]
sql = "queries/rows.sql"
source = "replica"
"""
QUERY = "SELECT rain FROM weather WHERE day = '2013-01-31' ORDER BY rain\n"


def of_sql(query: str = QUERY) -> dict[str, str]:
    template = notebook("rows = None", "print(len(open(rows, 'rb').read()) > 0)")
    return single(template, SQL, 'inputs = { rows = "rows" }') | {"queries/rows.sql": query}


def test_a_helper_that_was_edited_is_the_cause_and_what_follows_from_it_is_not(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    repository.commit({"stages/helper.py": 'WORDS = "sun rain hail"\n'})
    found = explainer.explain(first, explainer.push(repository))
    cause = only(found)
    assert (cause.kind, cause.subject, cause.where) == (
        Kind.IMPORTED_CODE,
        "stages/helper.py",
        ("table",),
    )
    assert cause.diff is not None
    assert '-WORDS = "sun rain"\n+WORDS = "sun rain hail"' in cause.diff
    assert cause.moved
    whys = {job.name: job.why for job in found.jobs}
    assert whys["table"] == "stages/helper.py"
    assert whys["total"] == "follows from table"
    assert whys["report"] == "follows from total"
    moves = [(metric.name, metric.before, metric.after) for metric in found.results.metrics]
    assert moves == [("words", 5.0, 6.0)]
    assert found.results.metrics[0].direction == "better"
    assert found.sentence == (
        "The code changed: stages/helper.py (table). Metric words moved from 5 to 6."
    )


def test_the_code_of_a_stage_comes_after_what_it_imports(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    edited = TABLE.replace("{WORDS}", "{WORDS} more")
    repository.commit({"stages/table.py": edited, "stages/helper.py": 'WORDS = "fog"\n'})
    found = explainer.explain(first, explainer.push(repository))
    assert [(cause.kind, cause.subject) for cause in found.causes] == [
        (Kind.IMPORTED_CODE, "stages/helper.py"),
        (Kind.STAGE_CODE, "stages/table.py"),
    ]


def test_a_comment_is_told_as_such_and_is_no_cause(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    repository.commit({"stages/helper.py": '# words of the day\nWORDS   =   "sun rain"\n'})
    reused = explainer.explain(first, explainer.push(repository))
    assert reused.causes == ()
    assert reused.same_result
    assert reused.sentence == (
        "The same result: the second run reused what the first one made. What changed between "
        "their commits is nothing that the report stands on."
    )
    afresh = explainer.explain(first, explainer.ask(repository))
    assert afresh.causes == ()
    assert afresh.notes == (
        "Comments or white space only: stages/helper.py. That changes no result.",
    )
    assert afresh.sentence == "Nothing recorded differs, and the results are equal."
    assert all(job.same_key and job.same_outputs for job in afresh.jobs)


def test_a_change_without_effect_is_a_cause_that_moved_nothing(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    repository.commit({"stages/helper.py": 'WORDS = "sun" + " rain"\n'})
    found = explainer.explain(first, explainer.push(repository))
    assert not only(found).moved
    assert found.same_result
    assert [job.same_outputs for job in found.jobs] == [True, True, True]
    assert "That changed nothing that the report stands on." in found.sentence


def test_a_parameter_is_named_with_both_values(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    explainer.push(repository)
    runs = [explainer.ask(repository, level=level) for level in (1, 2)]
    found = explainer.explain(*runs)
    cause = only(found)
    assert (cause.kind, cause.subject, cause.where) == (
        Kind.PARAMETERS,
        "param level",
        ("report",),
    )
    assert found.sentence.startswith("The parameter level changed: 1.0 → 2.0.")
    assert [job.same_outputs for job in found.jobs] == [True, True, False]


def test_a_parameter_that_several_jobs_take_is_one_cause(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    explainer.push(repository)
    runs = [explainer.ask(repository, day=day) for day in ("2013-01-31", "2013-02-28")]
    cause = only(explainer.explain(*runs))
    assert (cause.subject, cause.where) == ("param day", ("table", "report"))
    assert cause.sentence == "The parameter day changed: 2013-01-31 → 2013-02-28."


def test_each_changed_cell_of_the_template_is_a_cause_with_its_own_diff(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    template = json.loads(DAILY)
    template["cells"][0]["source"] = "# Words of a day"
    template["cells"][2]["source"] = CELL.replace("words > 0", "words > 1")
    template["cells"].append({**template["cells"][2], "id": "new", "source": "print('bye')"})
    repository.commit({"reports/daily.ipynb": json.dumps(template)})
    found = explainer.explain(first, explainer.push(repository))
    assert {cause.kind for cause in found.causes} == {Kind.TEMPLATE}
    assert [cause.subject for cause in found.causes] == [
        "reports/daily.ipynb, cell 3",
        "reports/daily.ipynb, cell 4",
    ]
    edited, added = found.causes
    assert edited.sentence == "Cell 3 changed (\N{MINUS SIGN}1 +1)."
    assert "+provenote.check(words > 1" in str(edited.diff)
    assert "print('bye')" not in str(edited.diff)
    assert added.sentence == "Cell 4 was added (\N{MINUS SIGN}0 +1)."
    assert [job.same_outputs for job in found.jobs] == [True, True, False]


def test_the_words_of_a_template_are_no_cause(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    template = json.loads(DAILY)
    template["cells"][0]["source"] = "# Words of a day"
    template["cells"][2]["source"] = CELL + "# that is all\n"
    repository.commit({"reports/daily.ipynb": json.dumps(template)})
    found = explainer.explain(first, explainer.ask(repository))
    assert found.causes == ()
    assert found.notes == (
        "Text, comments or look of the page changed; the code of the template did not.",
    )
    assert found.jobs[-1].same_outputs


def test_cells_are_told_by_their_hashes_where_a_notebook_is_gone(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    edited = DAILY.replace("words > 0", "words > 1")
    repository.commit({"reports/daily.ipynb": edited})
    second = explainer.push(repository)
    store = explainer.bench.installation.store
    notebook_digest = explainer.bench.run(first).row.notebook
    store.path(str(notebook_digest)).unlink()
    cause = only(explainer.explain(first, second))
    assert cause.sentence == "Code cell 2 changed; its text is not kept."
    assert cause.diff is None


def test_a_source_that_gained_rows_is_a_cause_in_the_data(
    sql_explainer: Explainer, git_project: MakeRepository, replica: Path
) -> None:
    repository = git_project(of_sql())
    first = sql_explainer.push(repository)
    with sqlite3.connect(replica) as connection:
        rows = [(n,) for n in range(59)]
        connection.executemany("INSERT INTO weather VALUES ('2013-01-31', ?)", rows)
    connection.close()
    found = sql_explainer.explain(first, sql_explainer.ask(repository))
    cause = only(found)
    assert (cause.kind, cause.subject) == (Kind.DATA, "source replica")
    assert cause.sentence == "The source replica gave other rows to rows: 842 → 901 rows."
    assert found.jobs[0].same_key
    assert not found.jobs[0].same_outputs


def test_a_query_is_shown_as_it_changed(
    sql_explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(of_sql())
    first = sql_explainer.push(repository)
    repository.commit({"queries/rows.sql": QUERY.replace("rain FROM", "-rain FROM")})
    cause = only(sql_explainer.explain(first, sql_explainer.push(repository)))
    assert (cause.kind, cause.subject, cause.where) == (
        Kind.STAGE_CODE,
        "queries/rows.sql",
        ("rows",),
    )
    assert "+SELECT -rain FROM weather" in str(cause.diff)


def test_a_query_that_only_moved_is_no_cause(
    sql_explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(of_sql())
    first = sql_explainer.push(repository)
    files = of_sql()
    manifest = files["provenote.toml"].replace("queries/rows.sql", "sql/rows.sql")
    repository.commit({"provenote.toml": manifest, "sql/rows.sql": QUERY, "queries/rows.sql": None})
    assert sql_explainer.explain(first, sql_explainer.ask(repository)).causes == ()


def test_a_package_is_named_with_both_versions(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    second = explainer.ask(repository)

    def upgraded(job: JobFacts) -> JobFacts:
        assert job.record is not None
        preimage = json.loads(json.dumps(job.record.preimage))
        known = preimage["environment"]["distributions"]
        known["ipython"] = "99.0 record:0123456789abcdef"
        environment = job.record.environment
        packages = {**environment["packages"], "ipython": "99.0", "unused": "1"}
        record = replace(
            job.record,
            preimage=preimage,
            key="f" * 64,
            environment={**environment, "packages": packages},
        )
        return replace(job, record=record, key="f" * 64)

    old, new = explainer.story(first), explainer.story(second)
    found = explainer.compare(old, with_job(new, "report", upgraded))
    cause = only(found)
    version = str(old.report and old.report.environment["packages"]["ipython"])
    assert (cause.kind, cause.subject) == (Kind.PACKAGES, "package ipython")
    assert cause.sentence == f"The package ipython changed: {version} → 99.0."
    assert not cause.moved
    assert found.notes == ("Recorded, but out of reach of every job: unused none → 1.",)


def test_an_unseeded_random_number_in_a_stage_is_found_where_outputs_part(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    body = "import random\n\ndef build():\n    return str(random.random())\n"
    repository = git_project(staged(body))
    first = explainer.push(repository)
    found = explainer.explain(first, explainer.ask(repository))
    cause = only(found)
    assert (cause.kind, cause.subject) == (Kind.RANDOMNESS, "stage made")
    assert found.sentence.startswith(
        "Nothing recorded differs, and yet the results do: the stage made gave other bytes from "
        "the same key."
    )
    assert "an unseeded random number" in found.sentence
    assert found.jobs[0].same_key
    assert [job.why for job in found.jobs] == ["stage made", "follows from made"]


def test_an_unseeded_random_number_in_a_template_is_found_by_its_cell(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    cells = ["x = 1", "print('the same')", "import random, provenote\nprint(random.random())"]
    repository = git_project(single(notebook(*cells)))
    first = explainer.push(repository)
    found = explainer.explain(first, explainer.ask(repository))
    cause = only(found)
    assert (cause.kind, cause.subject) == (Kind.RANDOMNESS, "the report")
    assert cause.sentence == "The report shows something else from the same key, first in cell 3."
    assert "Metrics and checks are equal." in found.sentence


def test_what_is_made_again_and_is_the_same_has_no_cause(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(single(notebook("x = 1", "print(object)\nobject()")))
    first = explainer.push(repository)
    found = explainer.explain(first, explainer.ask(repository))
    assert found.causes == ()
    assert found.sentence == "Nothing recorded differs, and the results are equal."


def test_a_stage_that_was_put_in_between_is_told_with_its_wiring(
    explainer: Explainer, git_project: MakeRepository
) -> None:
    repository = git_project(PROJECT)
    first = explainer.push(repository)
    manifest = (
        MANIFEST.replace('inputs = { table = "table" }', 'inputs = { table = "clean" }')
        + '[stages.clean]\npython = "stages.clean:build"\ninputs = { table = "table" }\n'
    )
    clean = "def build(table):\n    return table.read_text() + ' clean'\n"
    repository.commit({"provenote.toml": manifest, "stages/clean.py": clean})
    found = explainer.explain(first, explainer.push(repository))
    assert {cause.kind for cause in found.causes} == {Kind.WIRING}
    assert {cause.sentence for cause in found.causes} == {
        "The stage clean was added.",
        "The input table comes from clean instead of table.",
    }


@pytest.mark.parametrize("before", ["a" * 64, None])
def test_a_file_that_was_opened_beyond_the_closure_counts(
    explainer: Explainer, git_project: MakeRepository, before: str | None
) -> None:
    repository = git_project(PROJECT)
    first, second = explainer.push(repository), explainer.ask(repository)

    def reading(digest: str | None) -> Callable[[JobFacts], JobFacts]:
        def change(job: JobFacts) -> JobFacts:
            assert job.record is not None
            outputs = tuple(replace(o, sha256=(digest or "0" * 64)) for o in job.record.outputs)
            code = {**job.record.code, "observed": {"data/limits.csv": digest}}
            return replace(job, record=replace(job.record, code=code, outputs=outputs))

        return change

    old = with_job(explainer.story(first), "table", reading(before))
    new = with_job(explainer.story(second), "table", reading("b" * 64))
    cause = only(explainer.compare(old, new))
    word = "changed" if before else "appeared"
    assert (cause.kind, cause.subject) == (Kind.DATA, "data/limits.csv")
    assert cause.sentence == f"data/limits.csv, which is opened when the code runs, {word}."
