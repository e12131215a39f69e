from pathlib import Path

import pytest

from tests.bench.figures import Figure, Goal, Table
from tests.bench.page import BEGIN, END, PAGE, replaced
from tests.bench.results import Results, read_results
from tests.bench.rows import ROWS, measure_of, wanted_rows

ABOUT = {
    "at": "2026-01-31T12:00:00+00:00",
    "cores": 2,
    "processor": "a processor",
    "memory": "24117248 kB",
    "system": "Linux",
    "python": "3.11.7",
    "git": "2.39.5",
    "provenote": "0.1.0",
    "own": {"papermill": "2.7.0"},
    "peers": {"dvc": "3.67.1"},
    "load_before": (0.1, 0.2, 0.3),
    "load_after": (1.1, 0.2, 0.3),
    "seconds": 600,
}
TABLES = (
    Table(
        "a",
        "From a request",
        (Figure.of("by hand | piped", [4.0, 3.0, 5.0]), Figure.of("ours", [0.4, 0.3, 0.5])),
        (Goal("share", 0.1, 0.05), Goal("overhead", 0.2, 0.25, "s")),
        "What was done.",
    ),
    Table("d", "Once", (Figure.of("rate", [2.0], "/s"), Figure.of("seconds", [50.0]))),
)
RESULTS = Results(ABOUT, {"a peer": "it is not here"}, TABLES)


def test_results_come_back_from_json_as_they_were(tmp_path: Path):
    path = tmp_path / "below" / "results.json"
    RESULTS.write(path)
    assert read_results(path).tables == TABLES
    assert '"reached": false' in path.read_text()


def test_the_tables_replace_what_stood_between_the_marks_and_nothing_else():
    page = replaced(f"before\n{BEGIN}\nold\n{END}\nafter\n", RESULTS)
    assert page.startswith("before\n")
    assert page.endswith(f"{END}\nafter\n")
    assert "old" not in page
    assert replaced(page, RESULTS) == page


def test_the_page_tells_goals_rounds_and_what_was_left_out():
    page = replaced(f"{BEGIN}{END}", RESULTS)
    assert "| a | share | 0.100 × | ≤ 0.0500 × | **not reached** |" in page
    assert "| a | overhead | 200 ms | ≤ 250 ms | reached |" in page
    assert "| by hand \\| piped | 4.00 s | 3.00 s | 5.00 s | 3 | 1.00 |" in page
    assert "| ours | 400 ms | 300 ms | 500 ms | 3 | 0.100 |" in page
    assert "| seconds | 50.0 s | |" in page
    assert "- a peer: it is not here." in page
    assert "2026-01-31; 2 cores of a processor, 23 GiB" in page


def test_a_page_without_marks_is_left_alone():
    with pytest.raises(SystemExit, match="nothing was written"):
        replaced("a page", RESULTS)
    assert BEGIN in PAGE.read_text(encoding="utf-8")


def test_rows_are_chosen_by_letter_or_name_in_their_own_order():
    assert wanted_rows("") == list(ROWS)
    assert wanted_rows("nothing_changed, a") == ["a", "c"]
    with pytest.raises(SystemExit, match=r"no row 'z'.*a \(request_to_page\)"):
        wanted_rows("a,z")


@pytest.mark.parametrize("letter", ROWS)
def test_every_row_has_something_that_measures_it(letter: str):
    assert callable(measure_of(letter))
