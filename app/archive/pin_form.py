"""What the form says with which somebody holds on to something."""

from datetime import datetime

from flask import request

from provenance.datasets.instants import read_end

LONGEST_REASON = 2000


def pin_asked() -> tuple[str, datetime | None]:
    """Return why, and until when; None where it is for good. Raises what `read_end` raises."""
    until = request.form.get("until", "").strip()
    reason = request.form.get("reason", "").strip()[:LONGEST_REASON]
    return reason, read_end(until) if until else None
