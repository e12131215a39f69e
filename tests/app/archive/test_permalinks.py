"""Addresses that people have kept go on to work, whatever else is changed."""

import pytest

from tests.app.archive.maker import Maker

ADDRESSES = {
    "/": 200,
    "/projects/flights": 200,
    "/projects/flights/reports/sanity_check": 200,
    "/evaluations/{evaluation}": 200,
    "/runs/{run}": 200,
    "/runs/{run}/report": 200,
    "/runs/{run}/report?download=1": 200,
    "/runs/{run}/report?standalone=1": 200,
    "/runs/{run}/notebook": 200,
    "/runs/{run}/notebook?download=1": 200,
    "/runs/{run}/provenance": 200,
    "/runs/{run}/provenance?format=json": 200,
    "/runs/{run}/figures": 200,
    "/runs/{run}/log": 200,
    "/runs/{run}/log?download=1": 200,
    "/compare?a={run}&b={other}": 200,
    "/compare?a={run}": 200,
    "/explain?a={run}": 200,
    "/explain?a={run}&b={other}": 200,
    "/search?q=status:passed": 200,
    "/latest/flights/sanity_check": 302,
    "/latest/flights/sanity_check?date=2013-01-31": 302,
    "/latest/flights/sanity_check?as_of=2099-01-01": 302,
    "/badge/flights/sanity_check.svg": 200,
    "/projects/flights/reports/sanity_check/feed.atom": 200,
    "/api/v1/runs": 200,
    "/api/v1/runs/{run}": 200,
    "/api/v1/runs/{run}/provenance": 200,
    "/api/v1/evaluations/{evaluation}": 200,
    "/api/v1/projects/flights": 200,
    "/api/v1/openapi.json": 200,
    "/healthz": 200,
    "/readyz": 200,
}


@pytest.fixture
def ids(maker: Maker) -> dict[str, str]:
    project = maker.project()
    files = {
        "html": maker.keep(b"<!doctype html><p>report</p>"),
        "notebook": maker.keep(b'{"cells": [], "metadata": {}, "nbformat": 4}'),
        "record": maker.keep(b'{"kind": "report"}'),
        "log": maker.keep(b"log"),
    }
    made = [maker.evaluation(maker.commit(project, number)) for number in (1, 2)]
    other, run = (maker.run(evaluation, **files) for evaluation in made)
    return {"run": run.id, "other": other.id, "evaluation": run.evaluation_id}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_old_works(client, ids, address):
    answer = client.get(address.format(**ids))
    assert answer.status_code == ADDRESSES[address], answer.text


def test_what_is_always_the_latest_leads_to_it(client, ids):
    assert client.get("/latest/flights/sanity_check").location == f"/runs/{ids['run']}"
