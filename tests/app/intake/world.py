"""A small world to send requests to: a real ledger, a real repository, the whole web."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.factory import create_app
from app.intake.secrets import hook_secret, sign
from app.settings import Settings
from pipeline.installation import Installation
from provenance.ledger.ids import new_id
from provenance.ledger.tables import Base, Project
from tests.support.ledgers import sqlite_ledger
from tests.support.repository import Repository as SharedRepository
from tests.support.templates import share_templates

SECRET_KEY = "a secret of the tests"
MANIFEST = """
[project]
name = "weather"

[params.day]
type = "date"
default = "2013-01-31"
min = "2013-01-01"
max = "2013-12-31"
label = "Day of the report"
help = "Only 2013 has data."

[reports.daily]
title = "Daily summary"
template = "reports/daily.ipynb"
cases = [{ day = 2013-02-28 }, { day = 2013-03-31, station = "north" }]
on = ["push"]

[params.station]
choices = ["north", "south"]

[params.limit]
type = "int"
min = 0
max = 10
"""
PARAMETERS = """\
day: "date" = "2013-01-31"
limit = 3
factor = 0.5
smooth = True
station = "south"
note = "as usual"
weights = [1, 2]
"""


@dataclass
class Bell:
    """A doorbell that remembers."""

    evaluations: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    def ring_evaluation(self, evaluation_id: str) -> None:
        self.evaluations.append(evaluation_id)

    def ring_run(self, run_id: str) -> None:
        self.runs.append(run_id)


class Repository(SharedRepository):
    """A repository with a manifest and one report."""

    def commit(self, message: str, **files: str) -> str:
        for name, content in files.items():
            (self.path / name.replace("__", "/").replace("_toml", ".toml")).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


def notebook(parameters: str) -> str:
    cells = [
        {
            "cell_type": "code",
            "id": "a1",
            "execution_count": None,
            "metadata": {"tags": ["parameters"]},
            "outputs": [],
            "source": parameters,
        }
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(
        {
            "cells": cells,
            "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    path = tmp_path / "weather"
    (path / "reports").mkdir(parents=True)
    made = Repository(path)
    made.git("init", "--quiet", "--initial-branch=main")
    (path / "reports" / "daily.ipynb").write_text(notebook(PARAMETERS))
    made.commit("First report", provenote_toml=MANIFEST)
    return made


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def app(tmp_path: Path, bell: Bell) -> Iterator[Flask]:
    home = tmp_path / "home"
    home.mkdir()
    sqlite_ledger(home / "ledger.sqlite").close()
    settings = Settings(
        home=home,
        secret_key=SECRET_KEY,
        base_url="https://reports.example.org",
        allow_file_repositories=True,
    )
    made = share_templates(create_app(settings, bell))
    world: Installation = made.extensions["provenote"]
    yield made
    world.ledger.close()


@pytest.fixture
def installation(app: Flask) -> Installation:
    found: Installation = app.extensions["provenote"]
    return found


@pytest.fixture
def project(installation: Installation, repository: Repository) -> Project:
    made = Project(id=new_id("project"), name="weather", url=str(repository.path))
    with installation.ledger.writing() as session:
        session.add(made)
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def secret(project: Project) -> str:
    return hook_secret(SECRET_KEY, project.name, project.hook_generation)


def rows(installation: Installation) -> dict[str, int]:
    """Count the rows of every table but the project's."""
    with installation.ledger.reading() as session:
        return {
            table.name: count
            for table in Base.metadata.sorted_tables
            if table.name != "project"
            and (count := session.scalar(select(func.count()).select_from(table)))
        }


def github_push(secret: str, payload: object, delivery: str = "d-1", event: str = "push"):
    """Return the arguments of a signed GitHub delivery."""
    body = json.dumps(payload).encode()
    return {
        "data": body,
        "headers": {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": sign(secret, body),
        },
    }


def push_payload(sha: str = "a" * 40, ref: str = "refs/heads/main") -> dict[str, object]:
    return {
        "ref": ref,
        "before": "b" * 40,
        "after": sha,
        "deleted": False,
        "pusher": {"name": "ada"},
    }


def git_push(secret: str, **changes: object):
    payload = {
        "ref": "refs/heads/main",
        "before": "b" * 40,
        "after": "a" * 40,
        "pusher": "ada",
        "delivery": "u-1",
    }
    body = json.dumps(payload | changes).encode()
    return {
        "data": body,
        "headers": {"X-Provenote-Signature": sign(secret, body)},
        "content_type": "application/json",
    }
