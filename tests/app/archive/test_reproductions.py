"""What the page of a run shows of runs about it, and the buttons that ask for them."""

from provenance.ledger.reproductions import Attempted, write_reproduction
from provenance.ledger.states import Status, Verdict
from provenance.ledger.tables import Run
from tests.app.archive.maker import Maker


def made(maker: Maker, **values):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    return evaluation, maker.run(evaluation, **values)


def about(maker: Maker, evaluation, run, purpose: str, **values):
    again = maker.run(evaluation, **values)
    with maker.installation.ledger.writing() as session:
        row = session.get_one(Run, again.id)
        row.purpose, row.again_of = purpose, run.id
    return again


def answered(maker: Maker, run, again, grade: str, sentence: str) -> None:
    with maker.installation.ledger.writing() as session:
        told = Attempted(run.id, again and again.id, grade, sentence, {}, "ada")
        write_reproduction(session, told)


def test_the_badge_tells_how_often_and_how_it_went(client, maker: Maker):
    evaluation, run = made(maker)
    page = client.get(f"/runs/{run.id}").text
    assert f'action="/runs/{run.id}/reproduce"' in page
    assert 'id="reproductions"' not in page
    again = about(maker, evaluation, run, "reproduce")
    answered(maker, run, again, "identical", "Identical: 3 cells gave the same.")
    page = client.get(f"/runs/{run.id}").text
    assert "Reproduced once, last on" in page
    assert f'<a href="/runs/{again.id}">Identical: 3 cells gave the same.</a>' in page
    answered(maker, run, None, "cannot", "Cannot be reproduced, because <b>it</b> is gone.")
    page = client.get(f"/runs/{run.id}").text
    assert "last tried on" in page
    assert "because &lt;b&gt;it&lt;/b&gt; is gone." in page


def test_one_that_is_under_way_is_led_to(client, maker: Maker):
    evaluation, run = made(maker)
    again = about(
        maker, evaluation, run, "reproduce", status=Status.RUNNING, verdict=None, finished_at=None
    )
    assert (
        f'<a href="/runs/{again.id}">It is being made again now</a>'
        in client.get(f"/runs/{run.id}").text
    )


def test_a_reproduction_leads_to_its_original_and_offers_nothing_more(client, maker: Maker):
    evaluation, run = made(maker)
    again = about(maker, evaluation, run, "reproduce", verdict=Verdict.FAILED)
    answered(maker, run, again, "differs", "Differs at cell 4: it prints 2, was 1.")
    page = client.get(f"/runs/{again.id}").text
    assert f'href="/runs/{run.id}#reproductions"' in page
    assert "Differs at cell 4" in page
    assert "/reproduce" not in page
    home = client.get("/").text
    assert again.id not in home


def test_a_what_if_leads_to_what_moved(client, maker: Maker):
    evaluation, run = made(maker, metrics={"rmse": (14.0, "min", "lower")})
    asked = about(maker, evaluation, run, "whatif", metrics={"rmse": (15.5, "min", "lower")})
    page = client.get(f"/runs/{asked.id}").text
    assert f'href="/compare?a={run.id}&amp;b={asked.id}"' in page
    assert "1.5" in page
