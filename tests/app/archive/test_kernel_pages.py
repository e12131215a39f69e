"""What pages and programs tell of warm kernels that were proved, or that are off."""

import json

import pytest

from provenance.ledger.columns import utc_now
from provenance.ledger.environment_tables import EnvironmentRow, KernelProof
from provenance.ledger.tables import Run
from tests.app.archive.maker import Maker
from tests.app.archive.test_data_buttons import send
from tests.app.archive.test_environment_pages import KEY, given, section
from tests.app.archive.test_hostile_strings import EVIL

SENTENCE = "In cell 3, the warm kernel gave 1.5, a cold one 2.5."


@pytest.fixture
def environment(maker: Maker) -> EnvironmentRow:
    return maker.environment(KEY)


def turned_off(maker: Maker, run: Run, **told: str) -> KernelProof:
    finding = {"where": "cell 3", "said": "", "before": "1.5", "after": "2.5"} | told
    said = {"sentence": SENTENCE, "findings": [finding], "more": 0}
    off = {"outcome": "differs", "run_id": run.id, "told": said, "off_at": utc_now()}
    return maker.kernels(**off)


def made_by(maker: Maker, **run: str) -> dict[str, str]:
    """What a run's row has that was executed by a warm kernel, with its record."""
    record = {"run": {"kernel": "warm"}, "environment": {"key": KEY}}
    return {"record": maker.keep(json.dumps(record).encode()), "kernel": "warm", **run}


def test_an_environment_tells_how_often_its_kernels_were_proved(client, maker, environment):
    assert "Warm kernels" not in client.get(f"/environments/{KEY}").text
    maker.kernels()
    text = section(client.get(f"/environments/{KEY}").text, "kernels")
    assert "proved 3 times equal to cold ones; last looked" in text
    assert "pandas" in text
    assert "Use them again" not in text
    told = client.get(f"/api/v1/environments/{KEY}").json
    (kernels,) = told["kernels"]
    assert told["kernels_off"] is False
    assert (kernels["modules"], kernels["proved"], kernels["off_since"]) == (["pandas"], 3, None)


def test_kernels_that_are_off_are_seen_everywhere_until_they_are_trusted(
    client, maker, environment
):
    run = given(maker, **made_by(maker, proof="differs"))
    before = client.get("/").text
    assert "Warm kernels are off" not in before
    turned_off(maker, run)
    home = section(client.get("/").text, "attention")
    assert "Warm kernels are off" in home
    assert SENTENCE in home
    assert "warm kernels off" in client.get("/environments").text
    shown = client.get(f"/runs/{run.id}").text
    assert SENTENCE in section(shown, "kernel")
    assert "a cold one gave something else" in section(shown, "made")
    text = client.get(f"/environments/{KEY}").text
    assert f'off since <a href="/runs/{run.id}"' in section(text, "kernels")
    assert "warm <code>1.5</code>, cold <code>2.5</code>" in section(text, "kernels")
    assert client.get("/api/v1/environments").json["items"][0]["kernels_off"] is True

    done = send(client, text, f"/environments/{KEY}/trust")
    assert done.headers["Location"] == f"/environments/{KEY}#kernels"
    after = section(client.get(f"/environments/{KEY}").text, "kernels")
    assert "trusted again by local" in after
    assert "Use them again" not in after
    assert "Warm kernels are off" not in client.get("/").text
    assert 'id="kernel"' not in client.get(f"/runs/{run.id}").text


def test_the_first_page_that_is_open_hears_of_it(client, maker, environment):
    run = given(maker)
    seen = client.get("/").text.split("seen=")[1].split('"')[0]
    assert client.get(f"/?seen={seen}").status_code == 204
    turned_off(maker, run)
    assert client.get(f"/?seen={seen}").status_code == 200


def test_a_run_tells_its_kernel_and_whether_that_was_proved(client, maker, environment):
    proved = given(maker, **made_by(maker, proof="equal"))
    text = section(client.get(f"/runs/{proved.id}").text, "made")
    assert "<dt>Kernel</dt><dd>warm, proved equal to a cold one</dd>" in text
    told = client.get(f"/api/v1/runs/{proved.id}").json
    assert (told["kernel"], told["proof"]) == ("warm", "equal")
    reused = {"record": proved.record, "reused": True, "reused_from": proved.id}
    evaluation = maker.evaluation(maker.commit(maker.project("trains"), 2))
    again = maker.run(evaluation, **reused)
    assert "warm, proved equal to a cold one" in client.get(f"/runs/{again.id}").text
    told = client.get(f"/api/v1/runs/{again.id}").json
    assert (told["kernel"], told["proof"]) == (None, None)


def test_what_cells_gave_is_text_and_nothing_else(client, maker, environment):
    run = given(maker, **made_by(maker, proof="differs"))
    turned_off(maker, run, before=EVIL, after=EVIL, where=EVIL)
    for page in ("/", f"/environments/{KEY}", f"/runs/{run.id}"):
        assert EVIL not in client.get(page).text


def test_trust_takes_the_token_of_the_page(client, environment):
    assert client.post(f"/environments/{KEY}/trust").status_code == 400
