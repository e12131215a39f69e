import pytest

from tests.support.manifests import edited, only, problems, tree


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
    (
        "from =",
        "form =",
        "5 environment.form: unknown key 'form'; known are: from, preload, warm. Did",
    ),
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
    # [limits]
    ("[environment]", "[limits]\nmemroy = 1\n[environment]", "limits.memroy: unknown key 'memroy'"),
    ("[environment]", "[limits]\nmemory = '2 XB'\n[environment]", "found '2 XB', expected a size"),
    ("[environment]", "[limits]\nprocesses = 0\n[environment]", "found 0, expected a whole number"),
    ("[environment]", "[limits]\ncell_seconds = 0\n[environment]", "found 0.0, expected a number"),
    # [sources]
    (
        "url_env =",
        "url =",
        "9 sources.replica.url: unknown key 'url'; known are: url_env, timezone, freshness. Addre",
    ),
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
        "25 stages.features: found none of python, sql, command, notebook, expected one of them.",
    ),
    (
        'python = "stages.features:build"',
        'comand = ["octave"]',
        "26 stages.features.comand: unknown key 'comand'; known are: ",
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
    ("timeout = 60", 'source = "replica"', "stages.features.source: only sql stages have source"),
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
    (
        '["table", "totals"]',
        '{ table = "a" }',
        "28 stages.features.outputs: found names with files, expected names only.",
    ),
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
