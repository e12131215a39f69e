"""``provenote compare``: in words, as JSON, and as one file."""

import re
from pathlib import Path

from app.factory import create_app
from app.settings import Settings
from tests.app.cli.conftest import Desk
from tests.app.cli.test_cli_explain import home_of_hostile, shore

__all__ = ["home_of_hostile", "shore"]
Shore = tuple[Desk, list[str]]


def test_causes_metrics_and_the_cells_that_differ_are_printed(shore: Shore) -> None:
    desk, runs = shore
    done = desk("compare", *runs)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("The code changed: stages/count.py (count). Metric waves moved")
    assert "waves                    1 → 3" in done.out
    cells = done.out.partition("\ncells\n")[2]
    assert "≠ cell 3\n" in cells
    assert "      prints\n" in cells
    assert "      -tide \n" in cells
    assert "cells are the same" in cells
    assert "\x1b" not in done.out


def test_the_document_has_the_answer_of_explain_and_the_cells(shore: Shore) -> None:
    desk, runs = shore
    told = desk.json("compare", *runs)
    assert told["differs"]
    assert [cause["kind"] for cause in told["causes"]] == ["stage_code"]
    (cell,) = told["cells"]["changed"]
    assert (cell["number"], cell["before"], cell["diff"]) == (3, 3, None)
    (output,) = cell["outputs"]
    assert (output["name"], output["table"]) == ("stdout", None)
    assert "-tide " in output["diff"]
    assert desk.json("compare", runs[1], "--previous")["a"] == runs[0]


def test_the_exit_status_tells_of_differences_only_when_asked(shore: Shore) -> None:
    desk, runs = shore
    assert desk("compare", *runs).status == 0
    assert desk("compare", *runs, "--exit-code").status == 1
    same = desk.json("compare", runs[0], runs[0], "--exit-code")
    assert (same["differs"], same["cells"]["changed"]) == (False, [])


def test_one_file_is_the_one_that_the_page_gives(shore: Shore, tmp_path: Path) -> None:
    desk, runs = shore
    target = tmp_path / "comparison.html"
    done = desk("compare", *runs, "--html", str(target), "--json")
    assert (done.status, done.json["b"]) == (0, runs[1])
    assert f"{target} written." in done.err
    text = target.read_text()
    assert "The code changed: stages/count.py" in text
    assert not re.search(r"<script|<link|<iframe|url\((?!.?data:)| src=\"(?!data:)", text)
    app = create_app(Settings(home=desk.home.path))
    address = f"/compare?a={runs[0]}&b={runs[1]}"
    shown = app.test_client().get(f"{address}&standalone=1")
    assert shown.text == text
    link = f'{address.replace("&", "&amp;")}&amp;standalone=1" download="comparison-'
    assert link in app.test_client().get(address).text


def test_wrong_usage_is_told(shore: Shore, tmp_path: Path) -> None:
    desk, runs = shore
    for arguments in ((runs[0],), (*runs, "--previous")):
        done = desk("compare", *arguments)
        assert (done.status, "Give two runs, or one and --previous." in done.err) == (2, True)
    assert desk("compare", runs[0], "run_0").status == 2
    done = desk("compare", *runs, "--html", str(tmp_path / "none" / "x.html"), "--json")
    assert (done.status, done.json["error"]["code"]) == (2, "compare_target")


def test_nothing_that_a_project_wrote_steers_the_terminal(home_of_hostile: Shore) -> None:
    desk, runs = home_of_hostile
    done = desk("compare", *runs)
    assert done.status == 0
    assert "\x1b" not in done.out
