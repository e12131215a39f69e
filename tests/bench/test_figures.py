from tests.bench.figures import Figure, Goal, Table, ratio_goal, told


def test_a_figure_is_the_median_with_the_least_and_the_most():
    figure = Figure.of("a way", [3.0, 1.0, 2.0, 9.0, 2.5])
    assert (figure.median, figure.minimum, figure.maximum, figure.rounds) == (2.5, 1.0, 9.0, 5)


def test_a_goal_is_reached_on_its_limit_and_on_its_right_side_only():
    assert Goal("time", 0.05, 0.05, "s").reached
    assert not Goal("time", 0.051, 0.05, "s").reached
    assert Goal("rate", 10.0, 10.0, at_least=True).reached
    assert not Goal("rate", 9.9, 10.0, at_least=True).reached


def test_a_goal_tells_its_target_in_its_unit():
    assert Goal("time", 1, 0.25, "s").target == "≤ 250 ms"
    assert Goal("rate", 1, 10, at_least=True).target == "≥ 10.0 ×"
    assert Goal("memory", 1, 25e6, "B").target == "≤ 25.0 MB"


def test_a_ratio_is_taken_of_the_medians():
    ours, theirs = Figure.of("ours", [0.2, 0.1, 0.9]), Figure.of("theirs", [4.0, 2.0, 6.0])
    goal = ratio_goal("share", ours, theirs, 1 / 20)
    assert goal.found == 0.05
    assert goal.reached
    assert not ratio_goal("share", theirs, ours, 1 / 20).reached


def test_figures_of_other_units_have_no_ratio():
    first = Figure.of("seconds", [2.0])
    table = Table("a", "title", (first, Figure.of("rate", [1.0], "/s"), Figure.of("s", [5.0])))
    assert [table.ratio(figure) for figure in table.figures] == [1.0, None, 2.5]


def test_values_are_told_with_three_digits_that_count():
    assert told(0.00183, "s") == "1.83 ms"
    assert told(0.0000421, "s") == "0.0421 ms"
    assert told(12.345, "s") == "12.3 s"
    assert told(339_000, "B") == "339 kB"
    assert told(1_210_000_000, "B/s") == "1.21 GB/s"
    assert told(1234.5, "/s") == "1,234 /s"
    assert told(0, "s") == "0 ms"
