"""What is left of a run that is given up at the terminal."""

from collections.abc import Callable

import pytest

from app.cli.running import give_up
from pipeline.installation import Installation
from provenance.ledger.claims import claim
from provenance.ledger.reproductions import reproductions_of
from provenance.ledger.states import Verdict
from provenance.ledger.tables import Run
from tests.support.rows import add_evaluation, add_project, add_runs


@pytest.mark.parametrize(
    ("error", "verdict", "because"),
    [
        (KeyboardInterrupt(), Verdict.CANCELLED, "the attempt was cancelled"),
        (RuntimeError("disk"), Verdict.ERROR, "provenote failed"),
    ],
)
def test_a_reproduction_that_is_given_up_leaves_an_answer(
    installation: Callable[..., Installation], error: BaseException, verdict: str, because: str
) -> None:
    home = installation()
    evaluation = add_evaluation(home.ledger, add_project(home.ledger))
    (first,) = add_runs(home.ledger, evaluation)
    (again,) = add_runs(home.ledger, evaluation, purpose="reproduce", again_of=first)
    with home.ledger.writing() as session:
        held = claim(session, Run, again, "host/1", 60)
    assert held is not None
    give_up(home, [held], error)
    with home.ledger.reading() as session:
        assert session.get_one(Run, again).verdict == verdict
        (row,) = reproductions_of(session, first)
        assert (row.again, row.answer) == (again, "cannot")
        assert row.sentence == f"Cannot be reproduced, because {because}."
