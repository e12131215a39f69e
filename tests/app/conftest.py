"""What tests of pages share: the application served, and a page of a browser that is there."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.support.browsing import served, watched_page


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with served(app) as address:
        yield address


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    opened = watched_page(browser, base_url=address, viewport={"width": 390, "height": 900})
    yield opened
    opened.context.close()
