"""Things are done again and again beside the work, and what fails stands in nobody's way."""

from app.work.rounds import Rounds
from tests.support.waiting import wait_for


def test_each_step_has_its_own_pace_and_a_failing_one_harms_no_other() -> None:
    done: list[str] = []

    def fails() -> None:
        done.append("fails")
        raise ValueError("always")

    rounds = Rounds(
        (0.01, fails),
        (3600.0, lambda: done.append("seldom")),
        (0.01, lambda: done.append("often")),
    )
    rounds.start()
    try:
        wait_for(lambda: done.count("often") >= 3, "three rounds")
    finally:
        rounds.stop()
    assert done.count("seldom") == 1
    assert done.count("fails") >= 3
    assert done[:3] == ["fails", "seldom", "often"]


def test_after_it_was_stopped_nothing_is_done() -> None:
    done: list[int] = []
    rounds = Rounds((0.01, lambda: done.append(1)))
    rounds.stop()
    rounds.start()
    rounds._thread.join(5)
    assert (rounds._thread.is_alive(), done) == (False, [])
