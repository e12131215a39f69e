"""Passwords in addresses of repositories and sources: nothing that is kept or told has them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from pipeline.evaluate import prepare_evaluation
from pipeline.installation import Installation
from pipeline.kernels.hosts import KernelHosts
from pipeline.repository.mirror import Mirror
from pipeline.runner.client import Runner
from pipeline.stages.sql.failures import words
from provenance.errors import ProvenoteError
from provenance.explain.load import tell_run
from provenance.export.crate import write_crate
from provenance.export.crate_files import Taken
from provenance.export.open_lineage import run_events
from provenance.export.prov_json import prov_json
from provenance.export.subject import Place, load_subject
from provenance.ledger.tables import Evaluation, Project
from tests.pipeline.test_evaluate_sql import project
from tests.pipeline.weather import PROJECT
from tests.support.evaluations import Bench, Told
from tests.support.repository import Repository

MakeInstallation = Callable[..., Installation]
MakeRepository = Callable[..., Repository]
URL = "https://ada:canary-secret@git.example.org/weather.git"


def kept(bench: Bench) -> str:
    """Everything in the store, and every row of the ledger but the address itself."""
    objects = [path for path in (bench.installation.home / "store").rglob("*") if path.is_file()]
    told = [path.read_bytes().decode(errors="replace") for path in objects]
    with bench.installation.ledger.reading() as session:
        tables = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        for name in tables:
            rows = session.execute(text(f'SELECT * FROM "{name}"')).mappings()
            told += [str({**row, "url": None}) for row in rows]
    return "\n".join(told)


def exported(bench: Bench, run: Told, folder: Path) -> str:
    place = Place("https://reports.example.org", "1.2.3")
    store = bench.installation.store
    with bench.installation.ledger.reading() as session:
        subject = load_subject(session, store, run.row.id, place)
        story = tell_run(session, store, run.row.id).as_json()
    write_crate(subject, store, folder, Taken())
    files = [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()]
    return "\n".join([json.dumps([prov_json(subject), run_events(subject), story]), *files])


def test_a_password_of_the_repository_is_in_nothing_that_a_run_leaves(
    evaluate: Bench, git_project: MakeRepository, tmp_path: Path
) -> None:
    repository = git_project(PROJECT)
    evaluation_id = evaluate.accept(repository)
    claimed = evaluate.claim(Evaluation, evaluation_id)
    (run_id,) = prepare_evaluation(claimed, evaluate.worker())
    with evaluate.installation.ledger.writing() as session:
        session.get_one(Project, evaluate.project(repository).id).url = URL
    run = evaluate.execute(run_id)
    assert run.verdict == "passed"
    everything = kept(evaluate) + exported(evaluate, run, tmp_path / "crate")
    assert "git.example.org/weather.git" in everything
    assert "canary" not in everything


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:canary-secret@127.0.0.1:1/weather.git",
        "https://ada:canary@secret@127.0.0.1:1/weather.git",
        "https://ada:canary/secret@127.0.0.1:1/weather.git",
        "ssh://ada:canary/secret@127.0.0.1:1/weather.git",
        "ssh://ada:canary-secret@127.0.0.1:1/weather.git",
        "http://ada:canary-secret@127.0.0.1:1/weather.git",
        "ada:canary-secret@127.0.0.1:weather.git",
    ],
)
def test_an_address_that_cannot_be_fetched_is_told_without_its_password(
    installation: MakeInstallation, url: str
) -> None:
    with pytest.raises(ProvenoteError) as caught:
        Mirror(installation(), "project_1", url).fetch()
    error: BaseException | None = caught.value
    assert "127.0.0.1" in caught.value.message
    while error is not None:  # what a log prints below it, too
        assert not any(part in str(error) for part in ("ada", "canary", "secret"))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ada:canary@127.0.0.1:1/weather",
        "postgresql+psycopg://ada:can%40canary@127.0.0.1:1/weather",
        "postgresql+psycopg://ada:other@canary@127.0.0.1:1/weather",
        "postgresql+psycopg://127.0.0.1:1/weather?user=ada&password=canary",
        "postgresql+psycopg://ada:canary@127.0.0.1:1/weather?nothing=canary",
        "postgresql+psycopg://ada:canary@127.0.0.1:port/weather",
        "postgresql+nothing://ada:canary@127.0.0.1:1/weather",
        "ada:canary@127.0.0.1/weather",
        "sqlite:////nowhere/canary.sqlite?password=canary",
    ],
)
def test_a_password_of_a_source_is_in_nothing_that_a_run_leaves(
    installation: MakeInstallation,
    runner: Runner,
    hosts: KernelHosts,
    default_environment: Path,
    git_project: MakeRepository,
    url: str,
) -> None:
    bench = Bench(installation(sources={"WEATHER_URL": url}), runner, hosts)
    repository = git_project(project("SELECT 1 AS a"))
    told = bench(repository)
    assert told.run.verdict != "passed"
    path = "/nowhere/canary.sqlite"  # a file that is missing has to be named
    assert "canary" not in kept(bench).replace(path, "")


@pytest.mark.parametrize(
    "said",
    [
        'connection to "postgresql://ada:c%40n/ary@host/db" failed',
        "password c@n/ary is wrong",
        "password c%40n%2Fary is wrong",
        "bad dsn: host=host password=c@n/ary sslpassword=hush",
        "at ://ada:c@n@host",
    ],
)
def test_what_a_driver_says_of_an_address_is_told_without_its_secrets(said: str) -> None:
    url = "postgresql://ada:c%40n%2Fary@host/db?sslpassword=hush"
    told = words(OperationalError("SELECT 1", {}, Exception(said)), url)
    assert not any(secret in told for secret in ("c@n", "c%40n", "n/ary", "hush"))
