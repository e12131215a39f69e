"""The beginning of a run that makes another one again."""

from pipeline.attempt import Attempt
from pipeline.reproduction.apart import set_apart
from pipeline.reproduction.original import REPRODUCE, Original, read_original


def begin_again(attempt: Attempt) -> Original | None:
    """Return the run that *attempt* is to make again, and set the attempt apart for it.

    From here on nothing that the attempt makes stands for anything. None for any other run.
    """
    asked = attempt.asked
    if asked.purpose != REPRODUCE or asked.again_of is None:
        return None
    attempt.installation = set_apart(attempt.installation)
    with attempt.installation.ledger.reading() as session:
        return read_original(session, attempt.installation.store, asked.again_of)
