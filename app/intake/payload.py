"""Reading JSON that strangers send."""

import json
import math
from typing import Any, NoReturn

from provenance.errors import InvalidInputError

MAX_DEPTH = 64


class PayloadError(InvalidInputError):
    """Raised when a request's body is not the JSON that was expected."""

    code = "payload"


def read_json_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in *data*; raise PayloadError, whatever the bytes are.

    Refused beside invalid JSON: nesting deeper than 64, numbers that are not finite, and
    text that is not Unicode (lone surrogates), none of which the ledger could keep.
    """
    try:
        value = json.loads(data, parse_constant=_not_a_number, parse_float=_finite)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise PayloadError(f"The body is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise PayloadError(f"The body is a JSON {type(value).__name__}, expected an object.")
    _check(value)
    return value


def _check(value: object) -> None:
    """Walk *value* level by level, without recursion: its depth is the sender's choice."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise _too_deep()


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        _check_text(value)
    return []


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PayloadError(f"The body holds text that is not Unicode: {text[:40]!a}.") from None


def _too_deep() -> PayloadError:
    return PayloadError(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _not_a_number(constant: str) -> NoReturn:
    raise PayloadError(f"The body holds {constant}, which is not JSON.", "Send null instead.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise PayloadError(f"The body holds {text}, which is too large for a number.")
    return number
