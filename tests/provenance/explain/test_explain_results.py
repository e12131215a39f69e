"""What moved between two runs: a check is the same check, whatever number it tells."""

from provenance.explain.results import _paired


def test_a_check_whose_message_tells_another_number_is_the_same_check() -> None:
    before = {"rmse is 5 % below (it is 9.0 %)": True, "rows > 0": True}
    after = {"rmse is 5 % below (it is 3.6 %)": False, "rows > 0": True}
    told, now = _paired(before, after)
    assert told == {"rmse is 5 % below (it is 3.6 %)": True, "rows > 0": True}
    assert now == after


def test_checks_of_other_words_and_those_that_stand_in_both_runs_are_left_as_they_are() -> None:
    before = {"at most 3": True, "at most 4": False, "sorted": True}
    after = {"at most 3": True, "ordered": True}
    told, _ = _paired(before, after)
    assert told == before


def test_two_checks_that_differ_in_numbers_alone_are_paired_in_their_order() -> None:
    told, _ = _paired({"day 1": True, "day 2": False}, {"day 3": True, "day 4": True})
    assert told == {"day 3": True, "day 4": False}
