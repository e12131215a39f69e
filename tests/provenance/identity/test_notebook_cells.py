"""Which edits of a template execute it, and which only make its page anew."""

import pytest

from provenance.identity.notebook import Cell, execution_cells, prose_digest

BASE = (
    Cell("markdown", (), "# Title"),
    Cell("code", ("parameters",), "date = '2013-01-31'  # the day"),
    Cell("code", (), "x = 1\nx"),
    Cell("code", (), "%matplotlib inline\nplot(x)"),
    Cell("raw", (), "raw"),
)


def edited(place, **changes):
    return (*BASE[:place], BASE[place]._replace(**changes), *BASE[place + 1 :])


@pytest.mark.parametrize(
    "cells",
    [
        edited(0, source="# Another title"),
        edited(4, source="other"),
        edited(1, source="date = '2013-01-31'  # the last day"),
        edited(2, source="# now\n\nx  =  1\nx # shown\n"),
        edited(2, tags=("hide-input",)),
        edited(0, tags=("remove-cell",)),
        (*BASE, Cell("markdown", (), "More")),
        (BASE[4], *BASE[:4]),
    ],
)
def test_what_is_only_shown_is_rendered_and_not_executed(cells):
    assert execution_cells(cells) == execution_cells(BASE)
    assert prose_digest(cells, "light") != prose_digest(BASE, "light")


@pytest.mark.parametrize(
    "cells",
    [
        edited(2, source="x = 2\nx"),
        edited(2, source="x = 1\nx;"),
        edited(2, source="x = 1\nx;  # quiet"),
        edited(2, source="'''doc'''\nx = 1\nx"),
        edited(2, source="x = 1\nx?"),
        edited(2, source="%%time\nx = 1\nx"),
        edited(2, tags=("raises-exception",)),
        edited(1, tags=()),
        edited(3, source="%matplotlib widget\nplot(x)"),
        edited(3, source="%matplotlib inline\nplot(x)  # a comment beside a magic"),
        edited(3, source="!ls\nplot(x)"),
        edited(2, kind="raw"),
        BASE[:3],
        (*BASE, Cell("code", (), "")),
        (BASE[0], BASE[2], BASE[1], *BASE[3:]),
    ],
)
def test_what_may_change_a_result_is_executed(cells):
    assert execution_cells(cells) != execution_cells(BASE)


def test_a_cell_that_may_fail_counts_with_its_comments():
    cells = [Cell("code", ("raises-exception",), text) for text in ("1 / 0", "1 / 0  # oh")]
    assert len(set(execution_cells(cells))) == 2


def test_a_theme_renders_and_does_not_execute():
    assert prose_digest(BASE, "light") != prose_digest(BASE, "dark")


def test_the_cell_that_was_edited_is_told_by_its_place():
    before, after = execution_cells(BASE), execution_cells(edited(2, source="x = 2\nx"))
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


def test_cells_do_not_run_into_each_other():
    split = [Cell("code", (), "a = 1"), Cell("code", (), "b = 2")]
    joined = [Cell("code", (), "a = 1\nb = 2"), Cell("code", (), "")]
    assert execution_cells(split) != execution_cells(joined)
