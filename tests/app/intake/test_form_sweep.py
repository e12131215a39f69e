"""Several values in the form become several runs of one evaluation."""

import html
import re

from sqlalchemy import select

from provenance.ledger.tables import Evaluation, Run
from tests.app.intake.test_form import FORM, tag, token
from tests.app.intake.world import rows


def post(client, **fields):
    data = {name.replace("__", "."): value for name, value in fields.items()}
    return client.post(FORM, data={"csrf_token": token(client)} | data)


def test_each_scalar_parameter_can_have_several_values_and_a_list_cannot(client, project):
    page = client.get(FORM).text
    for name in ("day", "limit", "factor", "note"):
        assert tag(page, f"several.{name}").startswith("<textarea")
    assert 'name="several.station" value="north"' in page
    assert 'name="several.smooth" value="false"' in page
    assert 'name="several.weights"' not in page
    assert "0 .. 1 step 0.1" in page


def test_several_values_lead_to_the_evaluation_of_their_runs(client, project, installation, bell):
    answer = post(client, several__day="2013-02-01\r\n2013-02-02", several__limit="1 .. 3")
    with installation.ledger.reading() as session:
        evaluation = session.scalars(select(Evaluation)).one()
        runs = session.scalars(select(Run).order_by(Run.id)).all()
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/evaluations/{evaluation.id}"
    assert [(run.params["day"], run.params["limit"]) for run in runs] == [
        (day, limit) for day in ("2013-02-01", "2013-02-02") for limit in (1, 2, 3)
    ]
    assert bell.runs == [run.id for run in runs]
    page = client.get(answer.headers["Location"]).text
    assert "1st in the queue" in page
    assert "6th in the queue" in page


def test_one_value_among_several_leads_to_its_run(client, project, bell):
    answer = post(client, several__limit="4\r\n4", param__limit="rubbish")
    assert answer.headers["Location"] == f"/runs/{bell.runs[0]}"
    assert len(bell.runs) == 1


def test_a_mistake_among_several_values_is_told_and_all_of_them_kept(client, project, installation):
    answer = post(client, several__limit="1 .. 3\r\nmany", several__station=["north"])
    assert answer.status_code == 400
    told = re.search(r'id="problem-field-limit"[^>]*>([^<]*)<', answer.text)
    assert told
    assert html.unescape(told[1]) == "found 'many' (text), expected a whole number like 3."
    assert "\n1 .. 3\nmany</textarea>" in answer.text
    assert 'aria-invalid="true"' in tag(answer.text, "several.limit")
    assert 'aria-invalid="true"' not in tag(answer.text, "param.limit")
    assert 'name="several.station" value="north" checked' in answer.text
    assert rows(installation) == {}


def test_too_many_runs_are_refused(client, project, installation):
    answer = post(client, several__day="2013-01-01 .. 2013-12-31", several__limit="1 .. 2")
    assert answer.status_code == 400
    assert "These values make 730 runs, and at most 400" in answer.text
    assert rows(installation) == {}


def test_several_values_can_be_prefilled(client, project):
    page = client.get(FORM + "?several.limit=1%0A2").text
    assert "\n1\n2</textarea>" in page
