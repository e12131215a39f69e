from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.factory import create_app
from app.settings import Settings
from pipeline.installation import Installation
from tests.app.archive.maker import Maker
from tests.support.ledgers import sqlite_ledger
from tests.support.templates import share_templates


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    home = tmp_path / "home"
    home.mkdir()
    sqlite_ledger(home / "ledger.sqlite").close()
    made = share_templates(create_app(Settings(home=home, base_url="http://localhost")))
    made.config["PROPAGATE_EXCEPTIONS"] = False
    world: Installation = made.extensions["provenote"]
    yield made
    world.ledger.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def maker(app: Flask) -> Maker:
    return Maker(app.extensions["provenote"])


@pytest.fixture
def count_queries(app: Flask) -> Callable[[Callable[[], object]], int]:
    """Count the statements that a call sends to the ledger."""
    engine = app.extensions["provenote"].ledger.engine
    sent: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: sent.append(args[2]))

    def count(call: Callable[[], object]) -> int:
        sent.clear()
        call()
        return len(sent)

    return count
