"""Each kind of parameter has the control that people expect of it."""

import html
import re

import pytest

from tests.app.intake.test_form import FORM, fieldset, only_run, tag, token
from tests.app.intake.world import notebook

WIDGETS = """
[project]
name = "weather"

[params.window]
type = "int"
default = 7
min = 1
max = 60
unit = "days"

[params.share]
type = "float"
default = 0.5
min = 0
max = 1

[params.until]
type = "date"
default = "yesterday"

[params.carriers]
type = "list"
choices = ["AA", "B6", "UA"]
default = ["AA", "UA"]

[params.hour]
type = "int"
choices = [0, 3, 6, 9, 12, 15, 18, 21]
default = 6

[reports.daily]
template = "reports/daily.ipynb"
"""
PARAMETERS = """\
window = 7
share = 0.5
until = "2013-01-31"
carriers = ["AA"]
hour = 6
airports = ["JFK", "LGA"]
weights = {"delay": 1.0}
nested = {"a = b": [1]}
"""


@pytest.fixture
def daily(project, repository):
    (repository.path / "reports" / "daily.ipynb").write_text(notebook(PARAMETERS))
    repository.commit("All kinds of parameters", provenote_toml=WIDGETS)
    return project


def area(page: str, name: str) -> str:
    found = re.search(rf'<textarea[^>]*name="param.{name}"[^>]*>\n([^<]*)</textarea>', page)
    assert found
    return html.unescape(found[1])


def test_a_number_between_bounds_has_its_unit_and_a_slider(client, daily):
    page = client.get(FORM).text
    assert 'type="number"' in tag(page, "param.window")
    assert "unit-window" in tag(page, "param.window")
    assert '<span class="unit" id="unit-window">days</span>' in page
    slider = re.search(r'<input type="range" data-slides="field-window"[^>]*>', page)
    assert slider
    for attribute in ('min="1"', 'max="60"', 'step="1"', 'value="7"', "hidden"):
        assert attribute in slider[0]
    assert "name=" not in slider[0], "it is the number that is sent"
    assert 'data-slides="field-share"' in page
    assert 'step="0.01"' in page


def test_many_choices_are_a_list_and_few_are_buttons(client, daily):
    page = client.get(FORM).text
    assert tag(page, "param.hour").startswith("<select")
    assert '<option value="6" selected>' in page


def test_a_list_of_choices_has_boxes_to_tick(client, daily):
    page = client.get(FORM).text
    assert "<legend>carriers</legend>" in page
    assert fieldset(page, "carriers")
    boxes = r'type="checkbox" name="param.carriers" value="(\w+)"( checked)?'
    assert re.findall(boxes, page) == [("AA", " checked"), ("B6", ""), ("UA", " checked")]
    page = client.get(FORM + '?param.carriers=["UA", "AA"]').text
    assert area(page, "carriers") == '["UA", "AA"]', "boxes could not keep that order"


def test_a_relative_date_is_kept_as_it_is_and_its_day_is_told(client, daily):
    page = client.get(FORM).text
    assert 'value="yesterday"' in tag(page, "param.until")
    assert re.search(r"Now that is \d{4}-\d\d-\d\d\.", page)
    assert '<option value="month_start">first of this month</option>' in page


def test_lists_and_tables_are_lines_where_lines_can_hold_them(client, daily):
    page = client.get(FORM).text
    assert area(page, "airports") == "JFK\nLGA"
    assert area(page, "weights") == "delay = 1.0"
    assert 'data-lines="table"' in tag(page, "param.weights")
    assert area(page, "nested") == '{"a = b": [1]}'
    assert "data-lines" not in tag(page, "param.nested")


def test_what_is_sent_by_them_is_what_the_run_gets(client, daily, installation):
    sent = {
        "csrf_token": token(client),
        "param.until": "-1d",
        "shown.carriers": "1",
        "param.carriers": ["B6", "UA"],
        "param.airports": "EWR\r\n9E\r\n",
        "param.weights": "delay = 2\r\nnote = late",
        "param.nested": "{}",
        "param.window": "30",
    }
    assert client.post(FORM, data=sent).status_code == 303
    params = only_run(installation).params
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", params.pop("until"))
    assert params == {
        "window": 30,
        "share": 0.5,
        "carriers": ["B6", "UA"],
        "hour": 6,
        "airports": ["EWR", "9E"],
        "weights": {"delay": 2, "note": "late"},
        "nested": {},
    }


def test_the_recorded_date_is_a_day_whoever_asked_for_a_relative_one(client, daily, installation):
    runs = "/api/v1/projects/weather/reports/daily/runs"
    told = client.post(runs, json={"params": {"until": "month_start-1d"}}).json
    assert re.fullmatch(r"\d{4}-\d\d-(28|29|30|31)", told["params"]["until"])
    assert told["params"]["until"] == only_run(installation).params["until"]


def test_a_line_that_belongs_to_no_table_is_told_beside_its_field(client, daily):
    sent = {"csrf_token": token(client), "param.weights": "delay"}
    answer = client.post(FORM, data=sent)
    assert answer.status_code == 400
    assert "found 'delay', expected a line like name = value." in html.unescape(answer.text)
    assert area(answer.text, "weights") == "delay"


def test_the_form_is_filled_in_with_all_the_values_of_a_run(client, daily, installation):
    sent = {
        "csrf_token": token(client),
        "param.window": "30",
        "param.carriers": "B6",
        "param.airports": "EWR",
        "param.nested": '{"=": 1}',
    }
    client.post(FORM, data=sent)
    run = only_run(installation)
    client.post(f"/runs/{run.id}/cancel", data={"csrf_token": sent["csrf_token"]})
    found = re.search(r'<a href="([^"]*)">other values…', client.get(f"/runs/{run.id}").text)
    assert found
    page = client.get(html.unescape(found[1])).text
    assert 'value="30"' in tag(page, "param.window")
    assert 'name="param.carriers" value="B6" checked' in page
    assert 'name="param.carriers" value="AA" checked' not in page
    assert area(page, "airports") == "EWR"
    assert area(page, "nested") == '{"=": 1}'
    assert f'value="{run.params["until"]}"' in tag(page, "param.until"), "the day that it was for"
    assert client.get(f"{FORM}?run=run_0").status_code == 404
