import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.support.processes import Home, make_home


@pytest.fixture
def home(tmp_path: Path, environments: Path) -> Home:
    return make_home(tmp_path, environments)


def ask(home: Home, *words: str):
    done = home.run("models", words[0], "--json", *words[1:])
    assert done.status == 0, done.err
    return done.json


def save(home: Home, content: str, *options: str):
    (home.path.parent / "model.joblib").write_text(content)
    return ask(home, "save", "model.joblib", "delay", *options)


def test_the_life_of_a_model(home):
    first = save(home, "1", "--metric", "rmse=14.5", "--metadata", "features=[1]")
    second = save(home, "2", '--metric={"rmse": 15, "gap": NaN}', "--metadata", "note=try")
    assert (first["version"], second["version"], second["promoted"]) == (1, 2, True)
    assert (first["metadata"], second["metadata"]) == ({"features": [1]}, {"note": "try"})
    assert second["metrics"] == {"rmse": 15, "gap": None}
    assert first["format"] == "joblib"

    event = ask(home, "promote", "delay", "1", "--reason", "better on JFK")
    assert (event["op"], event["from_number"], event["to_number"]) == ("promote", 2, 1)
    assert ask(home, "ls")["items"][0]["latest"] == 1
    assert ask(home, "rollback", "delay", "--reason", "no")["to_number"] == 2
    assert [one["op"] for one in ask(home, "log", "delay")["items"]] == [
        "rollback",
        "promote",
        "publish",
        "publish",
    ]
    shown = ask(home, "show", "delay")["items"]
    assert [(one["version"], one["promoted"]) for one in shown] == [(2, True), (1, False)]
    assert "promoted" in home.run("models", "show", "delay").out.splitlines()[0]


def test_promoting_what_is_promoted_moves_nothing_and_says_so(home):
    save(home, "1", "--reason", "first")
    done = home.run("models", "promote", "delay", "1", "--reason", "a retry", "--json")
    assert "Version 1 is current already in model delay (pointer version 1)" in done.err
    assert (done.status, done.json["version"], done.json["reason"]) == (0, 1, "first")


def test_a_package_can_be_checked_with_what_every_machine_has(home, tmp_path):
    save(home, "the object", "--metric", "rmse=1")
    ask(home, "export", "delay", "-o", "delay.zip")
    with zipfile.ZipFile(tmp_path / "delay.zip") as package:
        package.extractall(tmp_path / "unpacked")
    subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "unpacked", check=True
    )
    assert (tmp_path / "unpacked" / "model.joblib").read_text() == "the object"
    assert json.loads((tmp_path / "unpacked" / "metrics.json").read_text()) == {"rmse": 1}


def test_the_path_of_a_version_is_a_copy_with_its_suffix(home):
    save(home, "one")
    save(home, "two")
    assert Path(ask(home, "path", "delay")["path"]).read_text() == "two"
    path = Path(ask(home, "path", "delay", "1")["path"])
    assert (path.name, path.read_text()) == ("model.joblib", "one")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "delya"], "Did you mean 'delay'?"),
        (["show", "delay", "9"], "model delay has no version '9'"),
        (["promote", "delay", "9", "--reason=x"], "model delay has no version '9'"),
        (["rollback", "delay", "--reason=x"], "Nothing was current"),
        (["save", "model.joblib", "a/b"], "cannot be the name"),
        (["save", "model.joblib", "delay", "--metric", "rmse=low"], "expected a number"),
        (["save", "model.joblib", "delay", "--metric", "rmse"], "expected NAME=VALUE"),
        (["save", "model.joblib", "delay", "--metadata", "{oops"], "no JSON object"),
    ],
)
def test_who_errs_is_told_how_it_goes(one_model, words, said):
    done = one_model.run("models", *words)
    assert done.status == 2, done.err
    assert said in done.err


@pytest.fixture(scope="module")
def one_model(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Home:
    made = make_home(tmp_path_factory.mktemp("one"), environments)
    save(made, "1")
    return made
