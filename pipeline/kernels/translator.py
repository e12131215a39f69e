"""How values become assignments in a Python template: papermill's way, and dates as dates."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from papermill.translators import MatlabTranslator, PythonTranslator, papermill_translators

from pipeline.kernels.r_translator import TypedRTranslator


class DateTranslator(PythonTranslator):  # type: ignore[misc]  # papermill has no types
    """Writes a date as a call that needs no import: the template may have named it anything."""

    @classmethod
    def translate(cls, val: Any) -> str:
        """Return the expression that stands for *val*."""
        if isinstance(val, date):
            return f"__import__('datetime').date({val.year}, {val.month}, {val.day})"
        text: str = super().translate(val)
        return text


def typed(parameters: Mapping[str, Any], dates: Sequence[str]) -> dict[str, Any]:
    """Return *parameters* with those in *dates* as dates instead of their ISO text."""
    return {
        name: date.fromisoformat(value) if name in dates and value is not None else value
        for name, value in parameters.items()
    }


papermill_translators.register("python", DateTranslator)
papermill_translators.register("R", TypedRTranslator)
papermill_translators.register("octave", MatlabTranslator)
