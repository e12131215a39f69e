"""What would run is told before anybody asks for it."""

import html
import re

import pytest
from sqlalchemy import select

import app.intake.preview as door
from provenance.ledger.tables import Run
from tests.app.intake.test_form import FORM, token
from tests.app.intake.world import rows
from tests.support.evaluations import Bench


def text_of(answer) -> str:
    found = re.search(r'<section id="preview".*?</section>', answer.text, re.DOTALL)
    assert found
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", found[0])).split())


@pytest.fixture
def look(client, project):
    def looked(**fields):
        data = {name.replace("__", "."): value for name, value in fields.items()}
        return client.post(FORM, data={"csrf_token": token(client), "preview": "1"} | data)

    return looked


@pytest.fixture
def built(installation, environments, default_environment):
    (installation.home / "environments").symlink_to(environments)


def test_it_tells_what_is_new_and_what_is_there_and_asks_for_nothing(
    look, built, installation, client, bell, runner, hosts
):
    answer = look(param__limit="5")
    assert answer.status_code == 200
    told = text_of(answer)
    assert told.startswith("What would run 1 run of daily at")
    assert "▸ report executed: new: never made before" in told
    assert 'value="5"' in answer.text, "what was entered stays"
    assert rows(installation) == {}
    assert bell.runs == []

    client.post(FORM, data={"csrf_token": token(client), "param.limit": "5"})
    with installation.ledger.reading() as session:
        run_id = session.scalars(select(Run.id)).one()
    assert Bench(installation, runner, hosts).execute(run_id).verdict == "passed"
    told = text_of(look(param__limit="5"))
    assert "Nothing has to be executed: its page is there already." in told
    assert "= report reused: unchanged since" in told

    told = text_of(look(several__limit="4 .. 6"))
    assert "3 runs of daily" in told
    assert "Of them, 1 would be reused whole, and 2 would execute something." in told
    assert "= limit 5: reused whole" in told
    assert "▸ limit 4: report executed" in told
    assert "All is executed afresh, as asked for." in text_of(look(param__limit="5", force="1"))


def test_where_the_environment_is_not_built_it_says_so_and_builds_none(look, installation):
    told = text_of(look())
    assert "What would be reused cannot be told." in told
    assert "The environment of this commit is not built on this machine yet." in told
    assert not installation.environments.exists()


def test_a_form_with_mistakes_is_shown_again_with_them(look):
    answer = look(param__limit="11")
    assert answer.status_code == 400
    assert "found 11, expected at most 10." in answer.text
    assert '<section id="preview"' not in answer.text


def test_it_is_of_the_commit_that_would_run_now(look, repository):
    look()
    newest = repository.commit("Pushed meanwhile")
    assert f"1 run of daily at {newest[:8]} Pushed meanwhile" in text_of(look())


def test_looking_takes_no_longer_than_it_may(look, monkeypatch):
    monkeypatch.setattr(door, "_SECONDS", 0.01)
    told = text_of(look())
    assert "What would be reused cannot be told. To look what would run took longer than" in told


def test_no_more_than_some_look_at_once(look, monkeypatch):
    monkeypatch.setattr(door, "_PATIENCE_SECONDS", 0.01)
    with door._places, door._places:
        assert "Others are looking what would run. Try again" in text_of(look())


def test_of_very_many_runs_the_first_are_shown_and_the_others_counted(look, built, monkeypatch):
    monkeypatch.setattr(door, "MOST_SHOWN", 2)
    told = text_of(look(several__limit="1 .. 5"))
    assert "Of them, 0 would be reused whole, and 5 would execute something." in told
    assert told.endswith("and 3 more runs")


def test_of_runs_that_take_long_to_look_at_the_first_are_told(look, built, monkeypatch):
    answer = door._in_process
    few = lambda settings, job: {"plans": answer(settings, job)["plans"][:2]}  # noqa: E731
    monkeypatch.setattr(door, "_in_process", few)
    told = text_of(look(several__limit="1 .. 5"))
    assert "Of the first 2, 0 would be reused whole, and 2 would execute something." in told
