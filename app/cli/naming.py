"""What a case is called where only letters will do: in a file name, in a line of a plan."""

import re
from collections.abc import Mapping
from typing import Any

from provenance.ledger.intake import case_key

_UNSAFE = re.compile(r"[^A-Za-z0-9._=-]+")
_LONGEST = 100


def case_name(case: Mapping[str, Any]) -> str:
    """Return a file name that tells the case: ``date=2013-01-31``; no other case has it."""
    told = ",".join(f"{name}={value}" for name, value in case.items()) or "default"
    name = _UNSAFE.sub("-", told)[:_LONGEST]
    return name if name == told else f"{name}-{case_key(case)[:8]}"
