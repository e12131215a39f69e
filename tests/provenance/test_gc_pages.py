"""Clearing away: what a page leads to, figures and whole outputs, stays as long as the page."""

import os
from dataclasses import replace

import pytest

from provenance.gc import Keep
from tests.provenance.making import genuine_record, output_of, page_with
from tests.support.house import House, action_of, gone


def test_what_a_page_leads_to_stays_as_long_as_the_page(house: House) -> None:
    figure, library = (house.store.put_bytes(data).sha256 for data in (b"figure", b"library"))
    lost = house.store.put_bytes(b"of no page").sha256
    text = f'<script src="../../assets/{library}/x.js"></script> {{"1/0": ["{figure}"]}}'
    page = house.store.put_bytes(text.encode()).sha256
    house.run(html=page)
    house.age()
    house.clear()
    assert all(house.store.has(digest) for digest in (page, figure, library))
    assert not house.store.has(lost)


@pytest.mark.parametrize("kind", ["report", "render"])
@pytest.mark.parametrize("by_row", [False, True])
def test_what_the_page_of_a_result_leads_to_stays_as_long_as_the_result(
    house: House, kind: str, by_row: bool
) -> None:
    figure = house.store.put_bytes(b"figure").sha256
    page = output_of(house.store.put_bytes(page_with(figure)), "html")
    made = genuine_record(house.store, 1, kind=kind)
    entry = house.cache.commit(replace(made, outputs=(page,)))
    # What the run shows is another page: the same result with other words around it.
    other = house.store.put_bytes(b"other words").sha256
    house.run(html=other, record=entry.record_id if by_row else None)
    house.age()
    os.utime(action_of(house, made.key))
    house.clear()
    assert all(house.store.has(digest) for digest in (page.sha256, figure, other))
    house.store.path(page.sha256).unlink()
    assert house.look().lost == [], "it can be made again"


def test_html_that_a_stage_left_leads_to_nothing(house: House) -> None:
    other = house.store.put_bytes(b"of nobody").sha256
    page = output_of(house.store.put_bytes(page_with(other)), "html")
    made = house.cache.commit(replace(genuine_record(house.store, 1), outputs=(page,)))
    house.age()
    os.utime(action_of(house, made.record.key))
    house.clear()
    assert (house.store.has(page.sha256), house.store.has(other)) == (True, False)


@pytest.mark.parametrize("remains", [None, b"broken"])
def test_nothing_is_removed_while_a_page_is_lost_since_only_it_names_its_figures(
    house: House, remains: bytes | None
) -> None:
    figure = house.store.put_bytes(b"figure").sha256
    page = house.store.put_bytes(page_with(figure))
    house.run(html=page.sha256)
    path = house.store.path(page.sha256)
    path.unlink()
    if remains is not None:
        path.write_bytes(remains)
    house.age()
    done = house.clear()
    assert done.lost == [page.sha256]
    assert house.store.has(figure)
    assert figure in gone(house.clear(Keep(grace=0, despite_losses=True)), "object")
