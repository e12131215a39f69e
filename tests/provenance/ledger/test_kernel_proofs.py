"""What the ledger says of warm kernels, on each database that is supported."""

from concurrent.futures import ThreadPoolExecutor

from provenance.ledger.engine import Ledger
from provenance.ledger.kernel_proofs import (
    DIFFERS,
    EQUAL,
    WarmKernels,
    are_off,
    count_report,
    note_proof,
    trust,
)
from provenance.ledger.queries.kernels import kernels_of_environments, kernels_off

PANDAS = WarmKernels("e" * 64, ("pandas",))
NOTHING = WarmKernels("e" * 64, ())


def count(ledger: Ledger, kernels: WarmKernels = PANDAS, one_in: int = 3) -> bool:
    with ledger.writing() as session:
        return count_report(session, kernels, one_in)


def note(ledger: Ledger, outcome: str, run: str = "r") -> None:
    with ledger.writing() as session:
        note_proof(session, PANDAS, run, outcome, {"sentence": run} if outcome != EQUAL else {})


def off(ledger: Ledger, kernels: WarmKernels) -> bool:
    with ledger.reading() as session:
        return are_off(session, kernels)


def test_the_first_is_due_and_then_one_in_so_many(ledger: Ledger) -> None:
    assert [count(ledger) for _ in range(7)] == [True, False, False, True, False, False, True]
    assert count(ledger, NOTHING), "other kernels are counted for themselves"


def test_of_several_workers_one_proves(ledger: Ledger) -> None:
    with ThreadPoolExecutor(4) as pool:
        due = list(pool.map(lambda _: count(ledger, one_in=8), range(8)))
    assert sorted(due) == [False] * 7 + [True]


def test_a_difference_turns_them_off_and_trust_on_again(ledger: Ledger) -> None:
    count(ledger)
    note(ledger, EQUAL)
    assert not off(ledger, PANDAS)
    note(ledger, DIFFERS, "bad")
    note(ledger, EQUAL, "late")
    assert off(ledger, PANDAS)
    assert not off(ledger, NOTHING)
    with ledger.reading() as session:
        (row,) = kernels_off(session)
    assert (row.run_id, row.proved, row.told) == ("bad", 1, {"sentence": "bad"})
    with ledger.writing() as session:
        assert trust(session, PANDAS.environment, "ada") == 1
        assert trust(session, PANDAS.environment, "ada") == 0
    assert not off(ledger, PANDAS)
    assert count(ledger), "the next one is proved"


def test_those_that_are_off_come_first(ledger: Ledger) -> None:
    count(ledger, NOTHING)
    note(ledger, DIFFERS)
    with ledger.reading() as session:
        found = kernels_of_environments(session, [PANDAS.environment, "other"])
    assert [one.modules for one in found[PANDAS.environment]] == [["pandas"], []]
    assert found["other"] == []
