"""Which case of a report a run is: what its parameters say beyond the defaults."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pipeline.manifest_parts.models import ReportSpec
from pipeline.parameters import Resolved, Schema, params_to_json
from provenance.ledger.intake import CaseToRun


def case_to_run(
    report: str, spec: ReportSpec, schema: Schema, resolved: Mapping[str, Resolved], today: date
) -> CaseToRun:
    """Return the run to make for *resolved*.

    Its case is what tells it from others for as long as the report lives: the values that a
    case of the manifest names, where it is one of those, or else those that are no default.
    A default that changes from one commit to the next leaves every case what it was.
    """
    params = params_to_json(resolved)
    origins = {name: item.origin for name, item in resolved.items()}
    for case in spec.cases:
        if params_to_json(schema.resolve({}, today, case)) == params:
            return CaseToRun(report, params, origins, {name: params[name] for name in case})
    defaults = {name: parameter.default for name, parameter in schema.by_name.items()}
    own = {name: params[name] for name, item in resolved.items() if item.value != defaults[name]}
    return CaseToRun(report, params, origins, own)


def all_cases(report: str, spec: ReportSpec, schema: Schema, today: date) -> Iterator[CaseToRun]:
    """Yield every case that the manifest lists, once; one of defaults where it lists none."""
    nothing: dict[str, Any] = {}
    seen: set[str] = set()
    for case in spec.cases or (nothing,):
        found = case_to_run(report, spec, schema, schema.resolve({}, today, case), today)
        if found.case_key not in seen:
            seen.add(found.case_key)
            yield found
