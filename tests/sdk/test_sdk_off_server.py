"""On a laptop the SDK works on the local checkout, and costs next to nothing."""

import os
import subprocess
import sys

import pytest

MANIFEST = """
[params.date]
type = "date"
default = "2013-01-31"
[params.rows]
default = 7
[reports.sanity_check]
inputs = { departures = "departures" }
"""


def last_line(checkout, code):
    process = checkout.script(code)
    text = process.stdout if process.returncode == 0 else process.stderr
    return text.strip().splitlines()[-1]


def test_importing_it_imports_nothing_else(checkout):
    code = (
        "import sys; before = set(sys.modules); import provenote;"
        "print(sorted(set(sys.modules) - before))"
    )
    argv = [sys.executable, "-S", "-c", code]
    out = subprocess.run(
        argv, env=checkout.environment, capture_output=True, text=True, check=True
    ).stdout
    assert out.strip() == "['__future__', 'provenote']"


def test_metrics_and_checks_are_printed_as_one_line_each(checkout):
    process = checkout.script(
        "import provenote\n"
        "provenote.metric('rmse', 14.2, unit='min', better='lower')\n"
        "provenote.metric('rows', 26398)\n"
        "provenote.metric('gap', float('nan'))\n"
        "print(provenote.check(1 < 2, 'one is less'), provenote.check([], 'rows are there'))\n"
    )
    assert process.stdout.splitlines() == [
        "metric rmse = 14.2 min",
        "metric rows = 26398",
        "metric gap = missing",
        "check ✓ one is less",
        "check ✕ rows are there",
        "True False",
    ]


def test_a_terminal_without_unicode_gets_the_line_all_the_same(checkout):
    code = "import provenote, sys; sys.stdout.reconfigure(encoding='ascii');"
    assert last_line(checkout, code + "provenote.check(True, 'fine')") == "check ? fine"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("metric('rmse', '14')", "TypeError: Metric rmse: expected a number, found str '14'."),
        ("metric('rmse', None)", "TypeError: Metric rmse: expected a number, found NoneType None."),
        (
            "metric('rmse', 1, better='smaller')",
            "ValueError: Metric rmse: better must be 'higher' or 'lower', found 'smaller'.",
        ),
        (
            "check(True, 5)",
            "TypeError: A check's message must be a non-empty string, found 5.",
        ),
    ],
)
def test_a_wrong_call_says_what_was_expected(checkout, call, error):
    assert last_line(checkout, f"import provenote; provenote.{call}") == error


def test_an_input_is_the_newest_local_file_of_that_name(checkout):
    checkout.write("provenote.toml", MANIFEST)
    old = checkout.write(".provenote/inputs/sanity_check/departures.csv", "old")
    new = checkout.write(".provenote/inputs/model_card/departures.parquet", "new")
    sidecar = checkout.write(".provenote/inputs/model_card/departures.parquet.prov.json", "{}")
    for age, file in ((1, sidecar), (2, new), (3, old)):
        os.utime(file, (1_700_000_000 - age, 1_700_000_000 - age))
    folder = checkout.root / "reports"
    folder.mkdir()
    code = "import provenote; print(provenote.input('departures'))"
    assert checkout.script(code, cwd=folder).stdout.strip() == str(new)


def test_an_input_with_several_outputs_is_a_dict_of_paths(checkout):
    checkout.write("provenote.toml", MANIFEST)
    train = checkout.write(".provenote/inputs/sanity_check/departures/train.csv", "1")
    code = "import provenote; print({k: str(v) for k, v in provenote.input('departures').items()})"
    assert last_line(checkout, code) == str({"train": str(train)})


def test_a_missing_local_file_names_the_command_that_makes_it(checkout):
    checkout.write("provenote.toml", MANIFEST)
    said = last_line(checkout, "import provenote; provenote.input('departures')")
    assert "Run `provenote run sanity_check` once" in said


def test_an_unknown_input_names_the_nearest(checkout):
    checkout.write("provenote.toml", MANIFEST)
    said = last_line(checkout, "import provenote; provenote.input('departure')")
    assert "Did you mean 'departures'?" in said


def test_outside_any_checkout_it_says_so(checkout):
    said = last_line(checkout, "import provenote; provenote.input('departures')")
    assert "No provenote.toml in" in said
    assert "Start Jupyter or Python inside the project's checkout." in said


def test_params_are_the_manifests_defaults(checkout):
    checkout.write("provenote.toml", MANIFEST)
    code = "from provenote import params; print(repr(params.date), params['rows'], len(params))"
    assert last_line(checkout, code) == "datetime.date(2013, 1, 31) 7 2"
    said = last_line(checkout, "from provenote import params; params.dat")
    assert said.endswith("Did you mean 'date'?")


def test_outputs_go_below_the_checkouts_own_folder(checkout):
    checkout.write("provenote.toml", MANIFEST)
    code = "import provenote; provenote.output('a/b.csv').write_text('x')"
    assert checkout.script(code).returncode == 0
    assert (checkout.root / ".provenote/outputs/a/b.csv").read_text() == "x"
    said = last_line(checkout, "import provenote; provenote.output('../../b.csv')")
    assert "no file below the output folder" in said
