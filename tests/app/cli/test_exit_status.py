"""The exit status tells a build server what became of a command."""

import json

import pytest

import app.cli
from app.cli import main


@pytest.fixture(autouse=True)
def _with_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.cli._COMMANDS, "probe", "tests.app.cli.probe")


def status_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr("sys.argv", ["provenote", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_a_command_ends_with_the_status_that_it_names(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    assert status_of(monkeypatch, "probe", "--status", str(status)) == status


def test_a_command_that_just_ends_has_done_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert status_of(monkeypatch, "probe") == 0
    assert status_of(monkeypatch, "--version") == 0


@pytest.mark.parametrize("wrong", [("probe", "--statuss"), ("prob",), ("--helpp",)])
def test_wrong_usage_is_2(monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, ...]) -> None:
    assert status_of(monkeypatch, *wrong) == 2


def test_an_unknown_setting_is_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROVENOTE_HOM", "x")
    assert status_of(monkeypatch, "config") == 2
    assert "Did you mean PROVENOTE_HOME?" in capsys.readouterr().err


def test_a_mistake_of_our_own_is_3_and_never_looks_like_a_failed_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(monkeypatch, "probe", "--raise", "--json") == 3
    said = capsys.readouterr()
    assert "RuntimeError: unforeseen" in said.err
    assert json.loads(said.out)["error"]["code"]
