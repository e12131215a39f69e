"""From settings to an installation: nothing happens before it is asked for."""

import stat
from pathlib import Path

import pytest

from app.assemble import assemble, make_ready
from app.settings import Settings, SettingsError
from app.source_urls import read_source_urls, remember_source_urls
from provenance.ledger.migrate import HEAD, LedgerOutdatedError, revision_of, upgrade


def test_assembling_touches_nothing(tmp_path: Path) -> None:
    found = assemble(Settings(home=tmp_path / "home", run_seconds=5, git_seconds=7))
    assert not (tmp_path / "home" / "ledger.sqlite").exists()
    assert not (tmp_path / "home" / "store").exists()
    assert (found.limits.run_seconds, found.limits.git_seconds) == (5, 7)
    found.ledger.close()


def test_a_home_is_made_for_its_owner_alone_and_its_ledger_kept_up_to_date(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "deep" / "home")
    installation = assemble(settings)
    make_ready(settings, installation)
    make_ready(settings, installation)
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700
    assert revision_of(installation.ledger) == HEAD
    installation.ledger.close()


def test_a_database_of_the_operators_is_not_changed_unasked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'own.sqlite'}"
    settings = Settings(home=tmp_path / "home", database_url=url)
    installation = assemble(settings)
    with pytest.raises(LedgerOutdatedError, match="ledger") as refused:
        make_ready(settings, installation)
    assert "provenote db upgrade" in refused.value.hint
    upgrade(installation.ledger)
    make_ready(settings, installation)
    installation.ledger.close()


def test_only_those_who_execute_know_the_addresses_of_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDES_URL", "sqlite:////tides.db")
    settings = Settings(home=tmp_path)
    for sources, expected in ((False, None), (True, "sqlite:////tides.db")):
        installation = assemble(settings, sources=sources)
        assert installation.source_urls.by_variable.get("TIDES_URL") == expected
        assert "tides.db" not in repr(installation)
        installation.ledger.close()


def test_addresses_come_from_a_file_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_source_urls(tmp_path, {"TIDES_URL": 'sqlite:///a"b\\c.db', "RAIN_URL": "old"})
    remember_source_urls(tmp_path, {"WIND_URL": "wind"})
    monkeypatch.setenv("RAIN_URL", "new")
    found = read_source_urls(tmp_path)
    assert found["TIDES_URL"] == 'sqlite:///a"b\\c.db'
    assert (found["RAIN_URL"], found["WIND_URL"]) == ("new", "wind")
    assert stat.S_IMODE((tmp_path / "sources.toml").stat().st_mode) == 0o600


def test_a_manifest_cannot_name_a_variable_that_is_no_address_of_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVENOTE_DATABASE_URL", "ours")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert {"PROVENOTE_DATABASE_URL", "AWS_SECRET_ACCESS_KEY"}.isdisjoint(
        read_source_urls(tmp_path)
    )


@pytest.mark.parametrize("content", ["TIDES_URL = 3\n", "TIDES_URL\n", "[TIDES_URL]\n"])
def test_a_malformed_file_of_addresses_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "sources.toml").write_text(content)
    with pytest.raises(SettingsError, match=r"sources\.toml"):
        read_source_urls(tmp_path)
