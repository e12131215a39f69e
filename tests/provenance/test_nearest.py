"""What an error says of a name that is wrong."""

import subprocess
import sys

from provenance.nearest import COMPARED, did_you_mean, did_you_mean_or_all, listed, nearest, shown


def test_the_nearest_name_is_offered_and_else_nothing() -> None:
    known = ["sold_items", "weather"]
    assert nearest("sold_item", known) == "sold_items"
    assert did_you_mean("wether", known) == "Did you mean 'weather'?"
    assert did_you_mean("zzz", known) == ""


def test_where_nothing_is_near_all_there_is_is_told() -> None:
    assert did_you_mean_or_all("wether", ["weather"]) == "Did you mean 'weather'?"
    assert did_you_mean_or_all("zzz", ["a", "b"]) == "There are: a, b."
    assert did_you_mean_or_all("zzz", []) == ""


def test_long_lists_and_values_are_cut() -> None:
    assert listed(str(number) for number in range(22)).endswith("18, 19 and 2 more")
    assert listed([]) == "none"
    assert shown("x" * 1000) == "'" + "x" * 59 + "…"
    assert shown("a\n\x1b") == "'a\\n\\x1b'"


def test_only_so_many_names_are_compared() -> None:
    names = [f"table{number}" for number in range(COMPARED)] + ["weather"]
    assert nearest("weather", names) is None
    assert nearest("weather", names, most=COMPARED + 1) == "weather"


def test_the_command_line_starts_without_comparing_anything() -> None:
    program = "import sys, app.cli, app.settings; print('difflib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
