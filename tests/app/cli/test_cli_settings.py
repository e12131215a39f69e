"""``provenote config``, ``db`` and ``--help``: what an operator asks first."""

from dataclasses import fields

import pytest

from app.settings import Settings
from tests.support.processes import Home

NAMES = {f"PROVENOTE_{field.name.upper()}" for field in fields(Settings)}


def test_config_lists_every_setting_and_says_what_it_means(home: Home) -> None:
    told = home.run("config", "--json", GIT_SECONDS="7.5")
    assert told.status == 0
    rows = {row["name"]: row for row in told.json}
    assert set(rows) == NAMES
    assert all(row["help"].endswith(".") for row in rows.values())
    assert rows["PROVENOTE_HOME"]["value"] == str(home.path)
    assert rows["PROVENOTE_GIT_SECONDS"]["value"] == "7.5"
    text = home.run("config")
    assert text.status == 0
    assert all(name in text.out for name in NAMES)


def test_config_shows_no_secret(home: Home) -> None:
    secrets = {
        "SECRET_KEY": "correct-horse",
        "DATABASE_URL": "postgresql+psycopg://ada:battery@db.example.org/provenote",
        "BROKER_URL": "redis://:staple@broker.example.org",
    }
    for arguments in (["config"], ["config", "--json"]):
        told = home.run(*arguments, **secrets)
        assert told.status == 0
        for word in ("horse", "battery", "staple"):
            assert word not in told.out + told.err


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("WORKRES", "2", "Did you mean PROVENOTE_WORKERS?"),
        ("QQQ", "2", "`provenote config` lists all settings."),
        ("WORKERS", "two", "PROVENOTE_WORKERS='two'"),
        ("ALLOW_FILE_REPOSITORIES", "perhaps", "PROVENOTE_ALLOW_FILE_REPOSITORIES='perhaps'"),
    ],
)
def test_a_wrong_setting_stops_every_command(home: Home, name: str, value: str, words: str) -> None:
    for command in ("config", "projects list", "serve"):
        done = home.run(*command.split(), **{name: value})
        assert (done.status, done.out) == (2, "")
        assert words in done.err
        assert "Traceback" not in done.err
    told = home.run("config", "--json", **{name: value})
    assert words in told.json["error"]["message"]


def test_the_first_command_makes_the_ledger(home: Home) -> None:
    (home.path / "ledger.sqlite").unlink()
    assert home.run("projects", "list", "--json").json == []
    assert home.run("db", "upgrade").out == "The ledger was up to date.\n"


def test_the_ledger_is_brought_up_to_date(home: Home) -> None:
    (home.path / "ledger.sqlite").unlink()
    first = home.run("db", "upgrade")
    assert (first.status, "went from nothing to" in first.out) == (0, True)
    again = home.run("db", "upgrade")
    assert (again.status, again.out) == (0, "The ledger was up to date.\n")


def test_a_database_of_the_operators_is_upgraded_by_them_alone(home: Home) -> None:
    url = f"sqlite:///{home.path / 'own.sqlite'}"
    done = home.run("projects", "list", "--json", DATABASE_URL=url)
    assert done.status == 3
    assert "provenote db upgrade" in done.err
    assert home.run("db", "upgrade", DATABASE_URL=url).status == 0
    assert home.run("projects", "list", "--json", DATABASE_URL=url).json == []


def test_help_tells_all_commands_and_the_exit_status(home: Home) -> None:
    told = home.run("--help")
    assert told.status == 0
    assert "1 a check failed" in told.out
    commands = [line.split()[0] for line in told.out.partition("Commands:")[2].splitlines() if line]
    assert {"init", "run", "plan", "show", "serve", "projects", "config"} <= set(commands)
