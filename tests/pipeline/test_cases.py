"""A case keeps its identity from commit to commit."""

from datetime import date

from pipeline.cases import all_cases, case_to_run
from pipeline.manifest_parts.models import ReportSpec
from pipeline.parameters import Parameter, Schema

TODAY = date(2026, 1, 1)


def schema(limit: float) -> Schema:
    return Schema(
        (
            Parameter("date", "date", default=date(2013, 1, 31)),
            Parameter("limit", "float", default=limit),
        )
    )


SPEC = ReportSpec(template="r.ipynb", cases=({"date": "2013-01-31"}, {"date": "2013-02-28"}))


def test_a_case_of_the_manifest_is_what_the_manifest_names():
    found = list(all_cases("r", SPEC, schema(5.0), TODAY))
    assert [case.case for case in found] == [{"date": "2013-01-31"}, {"date": "2013-02-28"}]
    assert found[0].params == {"date": "2013-01-31", "limit": 5.0}


def test_a_default_that_changes_leaves_every_case_what_it_was():
    before = [case.case_key for case in all_cases("r", SPEC, schema(5.0), TODAY)]
    after = [case.case_key for case in all_cases("r", SPEC, schema(0.0), TODAY)]
    assert before == after


def test_a_form_that_gives_a_case_of_the_manifest_means_that_case():
    resolved = schema(5.0).resolve({"date": "2013-01-31", "limit": "5"}, TODAY)
    found = case_to_run("r", SPEC, schema(5.0), resolved, TODAY)
    assert found.case == {"date": "2013-01-31"}


def test_any_other_run_is_told_by_what_is_no_default():
    resolved = schema(5.0).resolve({"date": "2013-03-01", "limit": "5"}, TODAY)
    found = case_to_run("r", SPEC, schema(5.0), resolved, TODAY)
    assert found.case == {"date": "2013-03-01"}
    resolved = schema(5.0).resolve({"date": "2013-01-31", "limit": "7"}, TODAY)
    assert case_to_run("r", SPEC, schema(5.0), resolved, TODAY).case == {"limit": 7.0}


def test_a_report_without_cases_has_one_of_its_defaults():
    found = list(all_cases("r", ReportSpec(template="r.ipynb"), schema(5.0), TODAY))
    assert [case.case for case in found] == [{}]
