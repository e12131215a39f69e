"""The graph of what a run stands on: who read what, laid out from left to right."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.archive.graph import HEIGHT, WIDTH, Box, Graph, graph_of, shortened
from provenance.record import Record
from provenance.story import REPORT, JobFacts, RunFacts, Story
from tests.app.archive.maker import Maker
from tests.app.archive.records import Facts, recorded_run

NOTHING: dict[str, Any] = dict.fromkeys(RunFacts.__dataclass_fields__)
RUN = RunFacts(**NOTHING | {"report": "daily", "params": {}, "origins": {}})


def job(name: str, *inputs: dict[str, Any], status: str = "executed", **extra: Any) -> JobFacts:
    record = Record(
        kind="python", name=name, key="k", preimage={}, outputs=(), run={}, code={}, params={},
        inputs=inputs, environment={}, extra=extra,
    )  # fmt: skip
    return JobFacts(name, "k", status, None, "", 0.0, f"record of {name}", record)


def of(producer: str) -> dict[str, Any]:
    return {"name": f"the_{producer}", "sha256": "0123456789", "producer": producer}


def batch(number: int) -> dict[str, Any]:
    told = {"name": "sold", "producer": "dataset:sold/january", "kind": "data"}
    return {**told, "batch": f"batch_{number}", "number": number}


def graph(*jobs: JobFacts) -> Graph:
    found = graph_of(Story(RUN, jobs, (), ()))
    assert found is not None
    return found


def boxes(found: Graph) -> dict[str, Box]:
    return {box.thing.name: box for box in found.boxes}


def test_what_a_thing_stands_on_is_to_its_left_up_to_the_report() -> None:
    found = graph(
        job("read", batch(2), queries=[{"source": "replica"}]),
        job("clean", of("read"), status="reused"),
        job(REPORT, of("clean"), of("read")),
    )
    at = boxes(found)
    assert at["replica"].x == at["sold/january"].x < at["read"].x < at["clean"].x < at["daily"].x
    assert len(found.arrows) == 5
    assert at["sold/january"].thing.told == "batch 2"
    assert at["sold/january"].thing.batch == "batch_2"
    assert (at["clean"].thing.told, at["clean"].thing.reused) == ("reused", True)
    assert at["daily"].thing.job == REPORT
    assert "clean, reused, read read (executed)." in found.sentences


def test_what_stands_on_nothing_is_close_to_who_uses_it() -> None:
    found = graph(job("a", batch(1)), job("b", of("a")), job(REPORT, of("b"), of("calendar")))
    at = boxes(found)
    assert at["calendar"].thing.kind == "file"
    assert at["calendar"].x == at["b"].x


def test_a_run_without_records_or_without_inputs_has_none() -> None:
    assert graph_of(Story(RUN, (), (), ())) is None
    assert graph_of(Story(RUN, (job(REPORT),), (), ())) is None
    assert graph_of(Story(RUN, (replace(job(REPORT, of("a")), record=None),), (), ())) is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_boxes_never_overlap_and_lie_inside_whatever_reads_what(
    pairs: list[tuple[int, int]],
) -> None:
    jobs = [
        job(str(number), *(of(str(read)) for read, by in pairs if by == number))
        for number in range(10)
    ]
    found = graph_of(Story(RUN, tuple(jobs), (), ()))
    if found is None:
        assert all(read == by for read, by in pairs)
        return
    places = [(box.x, box.y) for box in found.boxes]
    assert len(set(places)) == len(places)
    assert all(x >= 0 and x + WIDTH <= found.width for x, _ in places)
    assert all(y >= 0 and y + HEIGHT <= found.height for _, y in places)
    for one in range(len(places)):
        for other in places[:one]:
            if places[one][0] == other[0]:
                assert abs(places[one][1] - other[1]) > HEIGHT


@pytest.mark.parametrize(("text", "found"), [("short", "short"), ("x" * 40, "x" * 23 + "…")])
def test_long_names_are_shortened(text: str, found: str) -> None:
    assert shortened(text) == found


def test_the_page_draws_it_and_each_box_opens_its_record(client, maker: Maker):
    run = recorded_run(maker, maker.evaluation(maker.commit(maker.project(), 1)), Facts())
    page = client.get(f"/runs/{run.id}/provenance").text
    assert "daily, executed, read features (executed)." in page
    assert f'href="/runs/{run.id}/provenance?job=features#record"' in page
    shown = client.get(f"/runs/{run.id}/provenance?job=features").text
    assert '<span class="quiet">of features</span>' in shown
    record = client.get(f"/runs/{run.id}/provenance?job=features&format=json").get_json()
    assert (record["kind"], record["name"]) == ("python", "features")
    none = client.get(f"/runs/{run.id}/provenance?job=featurs")
    assert none.status_code == 404
    assert "Did you mean &#39;features&#39;?" in none.text
