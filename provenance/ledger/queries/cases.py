"""The cases of reports, and short names that tell them apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from provenance.ledger.queries.runs import RunRow
from provenance.ledger.tables import CaseHead, Run

LONGEST_LABEL = 60
MOST_CASES = 2_000
"""Cases that are told apart, those that were run last; of others their values are shown."""
_ABSENT = object()


@dataclass(frozen=True)
class Case:
    """One set of parameter values that a report was run with."""

    project_id: str
    report: str
    key: str
    params: dict[str, Any]
    """The parameters that make it a case; the report may have more."""
    label: str
    """The values in which it differs from the report's other cases."""


@dataclass(frozen=True)
class CaseNames:
    """Labels of the cases of several reports."""

    by_key: dict[tuple[str, str, str], str]

    def __call__(self, project_id: str, report: str, case_key: str) -> str:
        """Return the label of one case; of an unknown one, the start of its key."""
        return self.by_key.get((project_id, report, case_key), case_key[:8])

    def of(self, run: RunRow) -> str:
        """Return the label of the case of *run*; of one that no other run has, its values."""
        known = self.by_key.get((run.project_id, run.report, run.case_key))
        return known or label_of(run.params, sorted(run.params))


def cases_of(session: Session, reports: Iterable[tuple[str, str]]) -> tuple[Case, ...]:
    """Return the cases of *reports* (pairs of project id and name) that have a run.

    There are 2,000 at most, those that were run last, ordered by project, report and label.
    """
    pairs = sorted(set(reports))
    if not pairs:
        return ()
    query = (
        select(CaseHead.project_id, CaseHead.report, CaseHead.case_key, Run.case)
        .join(Run, Run.id == CaseHead.run_id)
        .where(tuple_(CaseHead.project_id, CaseHead.report).in_(pairs))
        .order_by(CaseHead.run_id.desc())
        .limit(MOST_CASES)
    )
    found: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
    for project_id, report, key, params in session.execute(query):
        found.setdefault((project_id, report), []).append((key, params))
    return tuple(case for pair in pairs for case in _of_one_report(pair, found.get(pair, [])))


def case_names(session: Session, reports: Iterable[tuple[str, str]]) -> CaseNames:
    """Return the labels of all cases of *reports*, in one query."""
    cases = cases_of(session, reports)
    return CaseNames({(case.project_id, case.report, case.key): case.label for case in cases})


def label_of(params: Mapping[str, Any], differing: Sequence[str]) -> str:
    """Return the values of *differing* parameters as a short text."""
    if len(differing) == 1:
        text = _text(params.get(differing[0]))
    else:
        text = ", ".join(f"{name} {_text(params[name])}" for name in differing if name in params)
    short = text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"
    return short or "only case"


def _of_one_report(pair: tuple[str, str], found: Sequence[Any]) -> list[Case]:
    differing = _differing([params for _, params in found])
    cases = [Case(*pair, key, params, label_of(params, differing)) for key, params in found]
    return sorted(cases, key=lambda case: (case.label, case.key))


def _differing(cases: Sequence[Mapping[str, Any]]) -> list[str]:
    names = sorted({name for params in cases for name in params})
    if len(cases) == 1:
        return names[:3]
    first = cases[0] if cases else {}
    return [
        name
        for name in names
        if any(params.get(name, _ABSENT) != first.get(name, _ABSENT) for params in cases)
    ]


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
