import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.manifest import ManifestError, OnSpec, Problem, PushSpec, read_manifest
from pipeline.manifest_problems import lines_of
from pipeline.tree import DirectoryTree, MemoryTree, Tree

MANIFEST = """\
[project]
name = "flights"

[environment]
from = "requirements.txt"
preload = ["pandas", "scipy.stats"]

[sources.replica]
url_env = "FLIGHTS_REPLICA_URL"

[params.date]
type = "date"
default = "2013-01-31"

[params.limit]
type = "integer"
default = 100
min = 1
max = 1000

[stages.departures]
sql = "queries/departures.sql"
source = "replica"

[stages.features]
python = "stages.features:build"
inputs = { departures = "departures" }
outputs = ["table", "totals"]
timeout = 60

[reports.sanity_check]
template = "reports/sanity_check.ipynb"
inputs = { departures = "departures", f = "features.table" }
cases = [{ date = 2013-01-31 }, { date = "2013-02-28", n = 3 }]
on = ["push"]

[reports.card]
title = "The card"
template = "reports/sanity_check.ipynb"
"""
CODE = b"def build(departures, date, limit=5):\n    raise SystemExit\n"


def notebook(source: str = "departures = 'x'\nn = 1\ndate = '2013-01-01'") -> bytes:
    cell = {"cell_type": "code", "source": source, "metadata": {}}
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": [cell]}).encode()


def tree(manifest: str | bytes = MANIFEST, **changes: Any) -> MemoryTree:
    files = {
        "provenote.toml": manifest if isinstance(manifest, bytes) else manifest.encode(),
        "requirements.txt": b"",
        "queries/departures.sql": b"SELECT * FROM flights WHERE day = :date -- :no",
        "stages/features.py": CODE,
        "reports/sanity_check.ipynb": notebook(),
    }
    named = {path.replace("/", "_").replace(".", "_"): path for path in files}
    changed = {named[name]: content for name, content in changes.items()}
    merged = {**files, **changed}
    return MemoryTree({path: content for path, content in merged.items() if content is not None})


def edited(*edits: tuple[str, str]) -> str:
    text = MANIFEST
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def problems(files: Tree) -> list[Problem]:
    with pytest.raises(ManifestError) as caught:
        read_manifest(files)
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)
    return list(caught.value.problems)


def only(files: MemoryTree) -> str:
    found = problems(files)
    assert len(found) == 1, found
    return str(found[0])


def test_a_manifest_is_read_whole() -> None:
    found = read_manifest(tree())
    assert found.name == "flights"
    assert found.environment.from_ == "requirements.txt"
    assert found.environment.preload == ("pandas", "scipy.stats")
    assert found.sources["replica"].url_env == "FLIGHTS_REPLICA_URL"
    assert (found.params["limit"].type, found.params["limit"].maximum) == ("int", 1000)
    features = found.stages["features"]
    assert features.inputs == {"departures": "departures"}
    assert (features.params, features.outputs, features.timeout) == (
        None,
        ("table", "totals"),
        60.0,
    )
    report = found.reports["sanity_check"]
    assert report.cases == ({"date": date(2013, 1, 31)}, {"date": "2013-02-28", "n": 3})
    assert report.on.push == PushSpec()
    assert found.reports["card"].on == OnSpec(push=None)
    assert found.upstream("sanity_check") == ("departures", "features")
    assert found.upstream("card") == ()


def test_the_smallest_manifest_has_a_name() -> None:
    found = read_manifest(tree('[project]\nname = "a"'))
    assert (found.environment.from_, found.environment.preload) == (None, None)
    assert (found.sources, found.stages, found.reports) == ({}, {}, {})


def test_branches_and_paths_of_a_push_can_be_given() -> None:
    on = 'on = { push = { branches = ["main"], paths = ["stages/**"] } }'
    found = read_manifest(tree(edited(('on = ["push"]', on))))
    assert found.reports["sanity_check"].on.push == PushSpec(
        branches=("main",), paths=("stages/**",)
    )
    found = read_manifest(tree(edited(('on = ["push"]', "on = { push = true }"))))
    assert found.reports["sanity_check"].on.push == PushSpec()


def test_a_byte_order_mark_and_windows_line_ends_are_no_problem() -> None:
    assert read_manifest(tree(b"\xef\xbb\xbf" + MANIFEST.replace("\n", "\r\n").encode()))


def test_no_manifest_at_all_says_how_to_make_one() -> None:
    assert only(MemoryTree({"a.py": b""})) == (
        "provenote.toml: there is none at the root of the project. `provenote init` makes one."
    )


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ('[project]\nname "a"', "provenote.toml:2: not valid TOML: Expected '=' after a key in a"),
        ('[project]\nname = "a', "provenote.toml:2: not valid TOML: "),
        ("[project]\nname = 'a'\nname = 'b'\n", "Cannot overwrite a value (column 11). A name can"),
        ("[a]\n[a]", "provenote.toml:2: not valid TOML: Cannot declare"),
        (b"a\n\xff", "provenote.toml:2: not UTF-8."),
        ("a = " + "[" * 100_000, "provenote.toml: not valid TOML: too large a value."),
        ("a = " + "1" * 5000, "provenote.toml: not valid TOML: too large a value."),
        (" " * 2**21, "provenote.toml: larger than 1024 KiB."),
    ],
)
def test_what_is_not_toml_is_an_error_with_its_line(manifest: str | bytes, message: str) -> None:
    assert message in only(tree(manifest))


WRONG: list[tuple[str, str, str]] = [
    # [project]
    ("[project]\n", "[proect]\n", "provenote.toml:1 proect: unknown table or key. Did you mean"),
    ('name = "flights"', "", "provenote.toml:1 project.name: name is missing."),
    ('name = "flights"', "name = 5", "2 project.name: found 5 (an integer), expected a text in"),
    ('name = "flights"', 'name = "Flights!"', "2 project.name: found 'Flights!', expected small"),
    ('name = "flights"', 'nmae = "x"', "2 project.nmae: unknown key 'nmae'; known are: name. Did"),
    # [environment]
    ("from =", "form =", "5 environment.form: unknown key 'form'; known are: from, preload. Did"),
    (
        '"requirements.txt"',
        '"requirement.txt"',
        "5 environment.from: found 'requirement.txt', expected requirements*.txt, pyproject.toml, "
        "uv.lock. Did you mean 'requirements.txt'?",
    ),
    (
        '"requirements.txt"',
        '"requirements-dev.txt"',
        "5 environment.from: requirements-dev.txt is not in the project. Did you mean",
    ),
    ('"requirements.txt"', '"uv.lock"', "uv.lock is not in the project. The project has: requ"),
    ('["pandas", "scipy.stats"]', '"pandas"', "6 environment.preload: found 'pandas' (a text),"),
    ('["pandas", "scipy.stats"]', "[1]", "6 environment.preload[0]: found 1 (an integer), expect"),
    ('"pandas"', '"os; x"', "6 environment.preload: 'os; x' is not a module's name."),
    # [sources]
    ("url_env =", "url =", "9 sources.replica.url: unknown key 'url'; known are: url_env. Addre"),
    ('"FLIGHTS_REPLICA_URL"', '"PROVENOTE_DATABASE_URL"', "settings of provenote, not addresses"),
    ("[sources.replica]", "[sources.class]", "8 sources.class: 'class' cannot be a name: expected"),
    # [params]
    ('type = "date"', 'type = "dat"', "12 params.date.type: found 'dat', expected one of: text, i"),
    ('type = "date"', 'type = "dat"', "Did you mean 'date'?"),
    ("[params.limit]", "[params.x-y]", "15 params.x-y: 'x-y' cannot be a name: expected letters"),
    ("max = 1000", "max = 10", "15 params.limit: default: found 100, expected at most 10."),
    ("default = 100", 'default = "x"', "15 params.limit: default: found 'x' (text), expected a wh"),
    ("min = 1", "minimum = 1", "18 params.limit.minimum: unknown key 'minimum'; known are: type,"),
    ("min = 1", 'choices = "a"', "18 params.limit.choices: found 'a' (a text), expected a list."),
    ("min = 1", "label = 1", "18 params.limit.label: found 1 (an integer), expected a text"),
    ('"2013-01-31"', '"2013-31-01"', "11 params.date: default: found '2013-31-01', which no cale"),
    # [stages]
    ("sql =", "sq1 =", "22 stages.departures.sq1: unknown key 'sq1'; known are: python, sql,"),
    (
        "[stages.departures]\n",
        "[stages.departures]\npython = 'a:b'\n",
        "21 stages.departures: found",
    ),
    (
        'python = "stages.features:build"\n',
        "",
        "25 stages.features: found neither of python and sql, expected one of them.",
    ),
    (
        'python = "stages.features:build"',
        'command = ["octave"]',
        "26 stages.features.command: unknown key 'command'; known are: python, sql, source, "
        "inputs, params, outputs, timeout. This version runs Python functions and SQL queries",
    ),
    (
        'source = "replica"\n',
        "",
        "21 stages.departures.source: an SQL stage needs a source. The sources: replica.",
    ),
    (
        'source = "replica"',
        'source = "replcia"',
        "23 stages.departures.source: no source 'replcia'. Did you mean 'replica'?",
    ),
    ("timeout = 60", 'source = "replica"', "stages.features.source: only an SQL stage has a sou"),
    ("timeout = 60", "timeout = -1", "29 stages.features.timeout: found -1.0, expected a number"),
    ("timeout = 60", "timeout = nan", "29 stages.features.timeout: found nan, expected a number"),
    ("timeout = 60", 'timeout = "1h"', "29 stages.features.timeout: found '1h' (a text), expect"),
    (
        "queries/departures.sql",
        "queries/departure.sql",
        "22 stages.departures.sql: 'queries/departure.sql' is not in the project. Did you mean "
        "'queries/departures.sql'?",
    ),
    ('source = "replica"', 'source = "replica"\ninputs = { f = "features" }', "an SQL stage reads"),
    ('source = "replica"', 'source = "replica"\noutputs = ["a"]', "an SQL stage has one output,"),
    ('source = "replica"', 'source = "replica"\nparams = ["limit"]', "departures.sql binds :date,"),
    (
        'source = "replica"',
        'source = "replica"\nparams = ["date", "limit"]',
        "24 stages.departures.params: queries/departures.sql does not bind :limit. Its binds: d",
    ),
    (
        'source = "replica"',
        'source = "replica"\nparams = ["date", "limt"]',
        "24 stages.departures.params: no parameter 'limt' is declared. Did you mean 'limit'?",
    ),
    ("stages.features:build", "stages.feature:build", "26 stages.features.python: no module stag"),
    (
        "stages.features:build",
        "stages.features:biuld",
        "26 stages.features.python: stages/features.py defines no function biuld(); its "
        "functions: build. Did you mean 'build'? Write stages.features:NAME.",
    ),
    (
        '{ departures = "departures" }\n',
        '{ departure = "departures" }\n',
        "26 stages.features.python: build() in stages/features.py, line 1, takes departures, which "
        "is neither an input of this stage (departure) nor a parameter (date, limit). Did you mean "
        "'departure'?",
    ),
    ("timeout = 60", 'params = ["limit"]', "takes date, which is neither an input"),
    ("timeout = 60", 'params = ["date", "departures"]', "no parameter 'departures' is declared."),
    (
        '{ departures = "departures" }\n',
        '{ departures = "departurse" }\n',
        "27 stages.features.inputs.departures: no stage 'departurse'. Did you mean 'departures'?",
    ),
    (
        '{ departures = "departures" }\n',
        '{ departures = "features" }\n',
        "27 stages.features.inputs: stages feed themselves: features → features.",
    ),
    (
        '{ departures = "departures" }\n',
        '{ departures = "departures.a.b" }\n',
        "27 stages.features.inputs.departures: found 'departures.a.b', expected stage or stage.ou",
    ),
    ('"table", "totals"', '"table", "table"', "28 stages.features.outputs: a name stands here tw"),
    ('["table", "totals"]', '{ table = "a" }', "28 stages.features.outputs: found {'table': 'a'}"),
    ("[stages.features]", "[stages.__init__]", "25 stages.__init__: '__init__' cannot be a name"),
    # [reports]
    (
        '"features.table"',
        '"features.tabel"',
        "33 reports.sanity_check.inputs.f: stage features has no output 'tabel'. Did you mean 'tab",
    ),
    ('"features.table"', '"nothing"', "no stage 'nothing'. The stages: departures, features."),
    ('"features.table"', "5", "33 reports.sanity_check.inputs.f: found 5 (an integer), expected"),
    ("f = ", "x.f = ", "33 reports.sanity_check.inputs.x: found {'f': 'features.table'} (a table)"),
    ('template = "reports/sanity_check.ipynb"\n', "", "reports.sanity_check.template: template is"),
    (
        "reports/sanity_check.ipynb",
        "reports/sanity_chek.ipynb",
        "32 reports.sanity_check.template: reports/sanity_chek.ipynb is not in the project. Did "
        "you mean 'reports/sanity_check.ipynb'?",
    ),
    ("reports/sanity_check.ipynb", "builtin:nope", "no built-in template 'nope'; there are: "),
    (
        "n = 3",
        "m = 3",
        "34 reports.sanity_check.cases[1]: 'm' is not a parameter. There are: n, date, limit.",
    ),
    ("n = 3", "n = 3.5", "34 reports.sanity_check.cases[1]: n: found 3.5 (float), expected a who"),
    ("n = 3", "limit = 0", "34 reports.sanity_check.cases[1]: limit: found 0, expected at least 1"),
    ("n = 3", "departures = 'a'", "cases[1]: 'departures' is not a parameter."),
    ("date = 2013-01-31 }", "date = 2013-01-31T10:00:00 }", "cases[0]: date: found datetime.dat"),
    ("[{ date = 2013-01-31 }, ", "[5, ", "34 reports.sanity_check.cases[0]: found 5 (an integer"),
    ('on = ["push"]', 'on = "push"', "35 reports.sanity_check.on: found 'push', expected a list"),
    (
        'on = ["push"]',
        'on = ["push", "schedule"]',
        "35 reports.sanity_check.on: found 'schedule': schedules are not part of this version of "
        'provenote. There is "push" only; left out, the report runs on demand.',
    ),
    ('on = ["push"]', 'on = { schedule = "0 7 * * *" }', "schedules are not part of this version"),
    ('on = ["push"]', 'schedule = "0 7 * * *"', "unknown key 'schedule'; known are: title, templa"),
    ('on = ["push"]', 'on = ["pull"]', "on: found 'pull', expected \"push\", the only one there"),
    ('on = ["push"]', "on = { push = 1 }", "on.push: found 1 (an integer), expected a table."),
    (
        'on = ["push"]',
        'on = { push = { branch = ["main"] } }',
        "35 reports.sanity_check.on.push.branch: unknown key 'branch'; known are: branches, paths. "
        "Did you mean 'branches'?",
    ),
    ('on = ["push"]', "params = { n = 'x' }", "35 reports.sanity_check.params.n: n: default: foun"),
    ('on = ["push"]', "params = { m = 1 }", "35 reports.sanity_check.params.m: 'm' is not a param"),
    ("f = ", "limit = ", "33 reports.sanity_check.inputs.limit: limit is a parameter too; a templ"),
    # elsewhere
    ("[reports.card]", "[[reports]]", "not valid TOML"),
    ("[reports.card]", "[report.card]", "37 report: unknown table or key. Did you mean 'reports'?"),
]


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_a_mistake_is_told_with_place_finding_and_remedy(old: str, new: str, message: str) -> None:
    found = problems(tree(edited((old, new))))
    assert any(message in str(problem) for problem in found), [str(item) for item in found]


# Mistakes that by their nature are two: a name that is lost is missed elsewhere too.
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        item
        for item in WRONG
        if item[0]
        not in ("[project]\n", "[params.limit]", "[sources.replica]", "[stages.features]")
        and "nmae" not in item[1]
        and "params = [" not in item[1]
        and item[0] != "url_env ="
        and "SQL stage reads" not in item[2]
        and item[0] != "[stages.departures]\n"
    ],
)
def test_one_mistake_is_told_once(old: str, new: str, message: str) -> None:
    assert message in only(tree(edited((old, new))))


def test_the_address_of_a_source_is_never_repeated() -> None:
    secret = '"postgresql://me:canary@host/db"'
    found = only(tree(edited(('"FLIGHTS_REPLICA_URL"', secret))))
    assert "canary" not in found
    assert found.startswith("provenote.toml:9 sources.replica.url_env: expected the name of an env")


def test_no_project_at_all() -> None:
    assert only(tree("")) == (
        'provenote.toml: [project] with a name is missing. Add: [project] name = "…".'
    )


@pytest.mark.parametrize("section", ["sources", "params", "stages", "reports"])
def test_sections_are_tables_of_tables(section: str) -> None:
    found = only(tree(f'{section} = 5\n[project]\nname = "a"'))
    assert f"{section}: found an integer, expected tables like [{section}.NAME]." in found
    found = only(tree(f'[project]\nname = "a"\n[{section}]\nx = 5'))
    assert found == f"provenote.toml:4 {section}.x: found 5 (an integer), expected a table."


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    manifest = edited(
        ('name = "flights"', 'name = "Flights"'),
        ("from =", "form ="),
        ('source = "replica"', 'source = "x"'),
        ("timeout = 60", "tiemout = 60"),
        ("n = 3", "n = 'x'"),
    )
    found = [problem.where.partition(" ")[2] for problem in problems(tree(manifest))]
    assert found == [
        "project.name",
        "environment.form",
        "stages.departures.source",
        "stages.features.tiemout",
    ]


def test_a_broken_stage_still_counts_as_a_stage() -> None:
    found = only(tree(edited(('outputs = ["table", "totals"]', "outputs = 5"))))
    assert "stages.features.outputs: found 5 (an integer), expected a list of texts." in found


def test_cycles_are_named_each_of_them() -> None:
    stage = '[stages.{0}]\npython = "stages.features:build"\ninputs = {{ departures = "{1}" }}\n'
    pairs = [("a", "b"), ("b", "c"), ("c", "a"), ("x", "y"), ("y", "x")]
    manifest = MANIFEST + "".join(stage.format(*pair) for pair in pairs)
    found = [problem.message for problem in problems(tree(manifest))]
    assert len(found) == 2
    first, second = (set(text.split(": ")[1].rstrip(".").split(" → ")) for text in found)
    assert (first, second) == ({"a", "b", "c"}, {"x", "y"})


def test_a_report_in_a_cycle_is_not_checked_further() -> None:
    manifest = edited(('{ departures = "departures" }\n', '{ departures = "features" }\n'))
    assert "features → features" in only(tree(manifest))


def test_a_required_parameter_needs_cases_when_pushes_evaluate_the_report() -> None:
    template = notebook("day: date\ndate = '2013-01-01'\nn = 1")
    found = problems(tree(reports_sanity_check_ipynb=template))
    assert {problem.where for problem in found} == {
        "provenote.toml:34 reports.sanity_check.cases[0]",
        "provenote.toml:34 reports.sanity_check.cases[1]",
    }
    assert {problem.message for problem in found} == {
        "day is missing; expected a date like 2013-01-31."
    }
    manifest = edited(('cases = [{ date = 2013-01-31 }, { date = "2013-02-28", n = 3 }]\n', ""))
    assert only(tree(manifest, reports_sanity_check_ipynb=template)) == (
        "provenote.toml:31 reports.sanity_check: day is missing; expected a date like 2013-01-31. "
        "Give it a default or the report cases, for a push gives no values."
    )
    on_demand = manifest.replace('on = ["push"]\n', "")
    assert read_manifest(tree(on_demand, reports_sanity_check_ipynb=template))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("reports_sanity_check_ipynb", b"{", "template: reports/sanity_check.ipynb, line 1: not v"),
        (
            "reports_sanity_check_ipynb",
            b'{"nbformat": 3}',
            "template: reports/sanity_check.ipynb has nbformat 3; provenote reads 4. Upgrade it",
        ),
        ("reports_sanity_check_ipynb", notebook("n: int = 'x'"), "n: default: found 'x' (text),"),
        ("stages_features_py", b"def build(:", "stages/features.py, line 1: invalid syntax"),
        ("stages_features_py", b"def build(*a): ...", "takes *a; a stage is given what its sign"),
        ("stages_features_py", b"async def build(): ...", "is async; a stage is called plainly."),
        ("stages_features_py", None, "no module stages.features: neither stages/features.py nor"),
        ("queries_departures_sql", b"\xff", "queries/departures.sql is not UTF-8 (byte 0)."),
        ("queries_departures_sql", b":dat", "binds :dat, but the parameters are: date, limit. Did"),
        ("queries_departures_sql", None, "'queries/departures.sql' is not in the project."),
    ],
)
def test_what_is_wrong_in_a_file_is_told_where_the_manifest_names_it(
    file: str, content: Any, message: str
) -> None:
    found = problems(tree(**{file: content}))
    assert message in str(found[0])


def test_a_link_that_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "secret.ipynb").write_bytes(notebook())
    (root / "a.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (root / "provenote.toml").write_text(
        '[project]\nname = "a"\n[reports.a]\ntemplate = "a.ipynb"\n'
    )
    found = problems(DirectoryTree(root, frozenset({"provenote.toml", "a.ipynb"})))
    assert "a.ipynb is a link that leads out of the project." in str(found[0])


def test_reading_never_runs_code_of_the_project(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w')\n".encode() + CODE
    template = notebook(f"open({str(mark)!r}, 'w')\nn = 1\ndate = '2013-01-01'")
    read_manifest(tree(stages_features_py=code, reports_sanity_check_ipynb=template))
    assert not mark.exists()


LINES = MANIFEST.splitlines()
SNIPPETS = ["5", "[]", "{}", "[[]]", '""', '"x:y"', "2013-01-31", "nan", "{ a = { b = [1] } }"]
SNIPPETS += ["[{}]", '"builtin:../x"', '"a.b.c"', "true", "-1", '"\\u0000"', '"/etc/passwd"']


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(["", *SNIPPETS]) | st.text()),
        max_size=6,
    )
)
def test_any_edit_gives_a_manifest_or_problems_with_places(edits: list[tuple[int, str]]) -> None:
    lines = list(LINES)
    for number, value in edits:
        key, equals, _ = lines[number].partition(" = ")
        lines[number] = f"{key} = {value}" if equals and value else value
    try:
        read_manifest(tree("\n".join(lines).encode(errors="replace")))
    except ManifestError as error:
        places = [problem.where for problem in error.problems]
        assert all(place.startswith("provenote.toml") for place in places)


def test_lines_are_those_of_tables_and_keys() -> None:
    text = (
        "[a]\n# b = 1\nb.c = '''\nd = 1\n'''\n [ a . 'x y' ] # z\ne = [\n  1,\n]\n"
        '[[f]]\ng = """x = """\nh = 1\n[[f]]\ng = 2\n'
    )
    lines = lines_of(text)
    assert lines[("a", "b", "c")] == 3
    assert ("a", "d") not in lines
    assert lines[("a", "x y", "e")] == 7
    assert lines[("f", 0, "h")] == 12
    assert lines[("f", 1, "g")] == 14
    assert lines_of("a" + ".a" * 200_000 + " = 1")
