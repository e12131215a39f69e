"""How values become assignments in an R template: typed vectors, dates as dates, any text."""

import math
import re
from datetime import date
from typing import Any

from papermill.translators import RTranslator

_SPECIAL = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CONTROL = re.compile(r'[\\"\x00-\x1f\x7f-\x9f]')


class TypedRTranslator(RTranslator):  # type: ignore[misc]  # papermill has no types
    """Writes R as R people do, where papermill makes lists of vectors and bytes of letters."""

    @classmethod
    def translate(cls, val: Any) -> str:
        """Return the expression that stands for *val*."""
        if isinstance(val, date):
            return f'as.Date("{val.isoformat()}")'
        text: str = super().translate(val)
        return text

    @classmethod
    def translate_escaped_str(cls, str_val: Any) -> str:
        """Return a text; papermill would write bytes where letters are not ASCII."""
        return f'"{_CONTROL.sub(_escaped, str(str_val))}"'

    @classmethod
    def translate_float(cls, val: float) -> str:
        """Return a number; the special ones have other names in R."""
        if math.isfinite(val):
            return repr(val)
        return "NaN" if math.isnan(val) else ("Inf" if val > 0 else "-Inf")

    @classmethod
    def translate_list(cls, val: list[Any]) -> str:
        """Return a vector where all values are of one kind, else a list."""
        kinds = {type(one) for one in val}
        plain = kinds <= {int, float} or (len(kinds) == 1 and kinds <= {str, bool, date})
        joined = ", ".join(cls.translate(one) for one in val)
        return f"c({joined})" if val and plain else f"list({joined})"


def _escaped(found: re.Match[str]) -> str:
    return _SPECIAL.get(found[0]) or f"\\u{ord(found[0]):04x}"
