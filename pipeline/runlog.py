"""The log of a run: what its stages and its kernel printed, one after the other."""

from collections.abc import Sequence

from pipeline.attempt import Attempt
from pipeline.jobs import Made
from pipeline.reporting import Reported


def keep_log(
    attempt: Attempt, made: Sequence[Made], report: Reported | None, failed: str | None = None
) -> str:
    """Put the log into the store and return its digest; *failed* is the stage that failed."""
    store = attempt.installation.store
    parts = [sentence.encode() for sentence in attempt.said]
    built = attempt.build_log
    parts += ["── environment\n".encode() + built] if built else []
    parts += [
        f"── stage {one.step.name} · {one.status} · {one.seconds:.2f} s · {one.sentence}\n".encode()
        + (attempt.printed(one.step.name) if one.status == "executed" else b"")
        for one in made
    ]
    if report is not None:
        status = "reused" if report.reused else "executed"
        head = f"── report · {status} · {report.seconds:.2f} s · {report.decision.sentence}\n"
        parts.append(head.encode() + (b"" if report.reused else attempt.printed("report")))
    elif failed is not None:
        parts.append(f"── stage {failed} · failed\n".encode() + attempt.printed(failed))
    return store.put_bytes(b"".join(parts)).sha256
