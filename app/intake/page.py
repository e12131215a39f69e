"""The page of the form that runs a report."""

from collections.abc import Mapping
from typing import Any

from flask import render_template, request, url_for

from app.current import installation
from app.intake.entered import Entered, Mistakes
from app.intake.fields import make_fields
from app.intake.offer import Offer, today
from app.intake.preview import Preview
from pipeline.parameters import to_text
from provenance.ledger.queries.recent import Recent, recent_revisions

NO_MISTAKES = Mistakes()
SUGGESTED_DAYS = {
    "today": "today",
    "yesterday": "yesterday",
    "-7d": "a week ago",
    "week_start": "Monday of this week",
    "month_start": "first of this month",
    "month_start-1d": "last of the month before",
}
"""Days in relation to today that a field for a date offers; any other may be written."""


def form_page(
    offer: Offer,
    entered: Entered,
    mistakes: Mistakes = NO_MISTAKES,
    preview: Preview | None = None,
) -> str:
    """Return the form, with what is entered, what is wrong with it, and what would run."""
    day = today().date()
    return render_template(
        "intake/form.html",
        offer=offer,
        fields=make_fields(offer.schema, entered.sent, mistakes.fields, day),
        presets=_presets(offer, entered.commit),
        entered=entered,
        mistakes=mistakes,
        recent=_recent(offer),
        suggested_days=SUGGESTED_DAYS,
        preview=preview,
        case_label=case_label,
    )


def runs_sentence(count: int) -> str:
    """Return how many runs a form asks for, in words."""
    return "" if count == 1 else f"Makes {count:,} runs, together one evaluation."


def case_label(case: Mapping[str, object]) -> str:
    """Return a case in words: ``day 2013-03-31, station north``."""
    return ", ".join(f"{name} {to_text(value)}" for name, value in case.items())


def _recent(offer: Offer) -> Recent:
    with installation().ledger.reading() as session:
        return recent_revisions(session, offer.project)


def _presets(offer: Offer, commit: str) -> list[dict[str, Any]]:
    return [
        {
            "label": case_label(case),
            "address": url_for(
                "intake.new_run",
                project=offer.project.name,
                report=offer.report,
                case=number,
                commit=commit or None,
            ),
            "current": request.args.get("case") == str(number),
        }
        for number, case in enumerate(offer.spec.cases)
    ]
