"""The proof that a warm kernel changes no result: the same run once more, by a cold one.

A share of the reports that warm kernels execute is executed again when it is published. Where
the two differ, it is asked who is to blame. Two cold kernels that do not agree in that place, or
a second warm one that gives what cold ones do, say that it is luck, or that the world has changed
meanwhile. Else it is the warm kernel, and none is used for that environment any more.
"""

from typing import TYPE_CHECKING

import structlog
from sqlalchemy.orm import Session

from pipeline.attempt import Attempt
from pipeline.kernels.trust import kernels_of
from pipeline.kernels.wanted import WARM
from pipeline.notebooks import host_wanted
from pipeline.proof_place import proving
from pipeline.proof_sides import REPEATABLE, DroppedError, Findings, Sides
from pipeline.reporting import Reported, key_now
from pipeline.reproduction.answer import Finding
from pipeline.runner.client import RunnerStoppedError
from provenance.ledger.kernel_proofs import (
    DIFFERS,
    EQUAL,
    NONDETERMINISTIC,
    WarmKernels,
    count_report,
    note_proof,
)
from provenance.ledger.states import REUSABLE, Verdict
from provenance.text import storable

if TYPE_CHECKING:
    from pipeline.publish import Outcome

_MOST_FINDINGS = 5
_LONGEST = 300
_log = structlog.get_logger()


def is_due(session: Session, attempt: Attempt, outcome: "Outcome") -> bool:
    """Count a report that a warm kernel has executed, and tell whether it is to be proved."""
    report = outcome.report
    if attempt.proof_runs == 0 or report is None or not _can_be_proved(report):
        return False
    kernels = _kernels(report)
    return kernels is not None and count_report(session, kernels, attempt.proof_runs)


def prove(attempt: Attempt, outcome: "Outcome") -> None:
    """Execute the report that *outcome* published once more, and write down what came of it.

    Whatever gets into the way of that is nobody's failure: then nothing is proved this time.
    """
    report = outcome.report
    assert report is not None  # noqa: S101 - it is due
    run = attempt.claim.id
    try:
        with proving(attempt.installation, attempt.claim) as place:
            found, findings = _prove(Sides(attempt, report, place))
        if found == DIFFERS and not _is_the_same(report, outcome):
            raise DroppedError("files or packages have changed meanwhile")
        _write(attempt, report, found, findings)
    except (RunnerStoppedError, DroppedError) as dropped:
        _log.info("proof dropped", run=run, reason=dropped.message)
    except Exception as error:
        _log.exception("proof failed", run=run, error=repr(error))


def _can_be_proved(report: Reported) -> bool:
    """Tell whether a report came to the end that its code wants, by a warm kernel."""
    warm = report.executed is not None and report.executed.kernel == WARM
    if not warm or report.entry.record.run.get("tainted"):
        return False
    if report.failure is not None:
        return report.verdict == Verdict.ERROR and report.failure.kind in REPEATABLE
    return report.verdict in REUSABLE


def _kernels(report: Reported) -> WarmKernels | None:
    assert report.executed is not None  # noqa: S101 - else it cannot be proved
    wanted = host_wanted(report.executed.situation)
    return kernels_of(wanted) if wanted is not None else None


def _prove(sides: Sides) -> tuple[str, Findings]:
    """Return how the proof ends, and what differs between the warm kernel and a cold one."""
    published, cold = sides.published(), sides.cold()
    found = sides.differences(published, cold)
    if not found:
        return EQUAL, {}
    luck = sides.differences(cold, sides.cold())
    lasting = {where: one for where, one in found.items() if where not in luck}
    if lasting:
        again = sides.differences(sides.warm(), cold)
        lasting = {where: one for where, one in lasting.items() if where in again}
    return (DIFFERS, lasting) if lasting else (NONDETERMINISTIC, found)


def _is_the_same(report: Reported, outcome: "Outcome") -> bool:
    """Tell whether files and packages still are what the report stands on."""
    assert report.executed is not None  # noqa: S101 - else it cannot be proved
    return key_now(report.executed.situation, outcome.made) == report.step.key


def _write(attempt: Attempt, report: Reported, outcome: str, findings: Findings) -> None:
    kernels, run = _kernels(report), attempt.claim.id
    assert kernels is not None  # noqa: S101 - else it was not due
    listed = list(findings.values())
    told = _told(listed) if listed else {}
    with attempt.installation.ledger.writing() as session:
        note_proof(session, kernels, run, outcome, told)
    attempt.installation.kernel_trust.forget()
    if outcome == DIFFERS:
        environment, said = kernels.environment, told["sentence"]
        _log.error("warm kernels are off", environment=environment, run=run, difference=said)
    else:
        _log.info("kernel proved", run=run, outcome=outcome)


def _told(findings: list[Finding]) -> dict[str, object]:
    """Return what is said of a difference; ``before`` is from the warm kernel."""
    short = [
        {
            "where": one.where,
            "said": storable(one.said[:_LONGEST]),
            "before": storable(one.before[:_LONGEST]),
            "after": storable(one.after[:_LONGEST]),
        }
        for one in findings[:_MOST_FINDINGS]
    ]
    return {"sentence": _sentence(short[0]), "findings": short, "more": len(findings) - len(short)}


def _sentence(first: dict[str, str]) -> str:
    if first["before"] and first["after"]:
        told = f"the warm kernel gave {first['before']}, a cold one {first['after']}"
    else:
        told = f"a cold kernel gave something else than the warm one: {first['said']}"
    return f"In {first['where']}, {told}."
