from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeline.rendering import typeset


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.0123, "12 ms"),
        (0.2134, "0.21 s"),
        (0.996, "1.0 s"),
        (4.06, "4.1 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (83, "1 min 23 s"),
        (3600, "1 h"),
        (7260, "2 h 1 min"),
    ],
)
def test_durations_have_two_figures(seconds: float, text: str) -> None:
    assert typeset.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (14.2, "14.2"),
        (-0.8, "−0.8"),
        (26398.0, "26,398"),
        (1234567.0, "1,234,567"),
        (23456.7, "23,457"),
        (0.00616667, "0.0061667"),
        (1e300, "1e+300"),
    ],
)
def test_numbers_are_separated_and_have_a_true_minus(value: float | None, text: str) -> None:
    assert typeset.number(value) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (83321, "83.3 kB"), (2_500_000_000, "2.5 GB")]
)
def test_sizes_are_decimal(count: int, text: str) -> None:
    assert typeset.size(count) == text


def test_moments_are_told_in_utc() -> None:
    local = datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert typeset.moment(local) == "31 December 2025, 23:30 UTC"
    assert typeset.moment(datetime(2026, 11, 9, 8, 5, tzinfo=UTC)) == "9 November 2026, 08:05 UTC"


def test_every_verdict_has_a_shape_and_a_word() -> None:
    assert typeset.verdict_mark("timed_out") == ("!", "timed out")
    assert typeset.verdict_mark("of_a_later_version") == ("!", "of a later version")


def test_script_json_refuses_numbers_that_json_lacks() -> None:
    with pytest.raises(ValueError, match="JSON"):
        typeset.script_json({"x": float("nan")})
