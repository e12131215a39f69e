"""A model is kept with its metadata and metrics, and read back from a declared input."""

import json
import pickle
from pathlib import Path

import pytest


@pytest.fixture
def run(checkout):
    """Runs code of a stage's or template's process; returns its last words."""

    def execute(code, inputs=None):
        return checkout.line(code, inputs=inputs or {}, name="card")

    return execute


def given(path, number=3):
    told = {"path": str(path), "media_type": "application/octet-stream", "sha256": "0" * 64}
    named = {"dataset": "delay", "partition": "main", "batch": "b3", "kind": "model"}
    return {"delay": told | named | {"number": number}}


def test_a_model_is_noted_with_its_metadata_and_the_metrics_so_far(run, checkout):
    code = (
        "metric('rmse', 14.25, better='lower'); metric('gap', float('nan'))\n"
        "save_model({'slope': 2.0}, 'delay', features=['hour'], trained_on=31)\n"
        "metric('later', 1)"
    )
    assert run(code).startswith("model delay: kept as pickle")
    [model] = [line["model"] for line in checkout.results if "model" in line]
    path = Path(model.pop("path"))
    assert model == {
        "name": "delay",
        "format": "pickle",
        "metadata": {"features": ["hour"], "trained_on": 31},
        "metrics": {"rmse": 14.25, "gap": None},
    }
    assert path.is_relative_to(checkout.work / "out" / ".provenote")
    data = path.read_bytes()
    assert pickle.loads(data) == {"slope": 2.0}
    assert data[:2] == b"\x80\x05"


def test_an_object_of_a_library_that_joblib_knows_is_kept_by_joblib(run, checkout):
    # Stand-ins of the two libraries, which the project's environment would have.
    checkout.write("sklearn/__init__.py", "class Tree:\n    depth = 3\n")
    checkout.write(
        "joblib.py",
        "import pickle\n"
        "def dump(obj, path, protocol):\n"
        "    path.write_bytes(b'JOBLIB' + pickle.dumps(obj, protocol))\n"
        "def load(path):\n"
        "    return pickle.loads(path.read_bytes()[6:])\n",
    )
    code = "from sklearn import Tree\nclass Mine(Tree): pass\nsave_model(Mine(), 'delay')"
    assert run(code).startswith("model delay: kept as joblib")
    [line] = checkout.results
    path = Path(line["model"]["path"])
    assert (path.suffix, path.read_bytes()[:6]) == (".joblib", b"JOBLIB")
    reading = "from sklearn import Tree\nclass Mine(Tree): pass\nprint(load_model('delay').depth)"
    assert run(reading, given(path)) == "3"


def test_a_declared_model_is_loaded(run, tmp_path):
    path = tmp_path / "delay.pkl"
    path.write_bytes(pickle.dumps({"slope": 2.0}))
    assert run("print(load_model('delay')['slope'])", given(path)) == "2.0"
    assert run("print(load_model('delay', version=3)['slope'])", given(path)) == "2.0"
    said = run("load_model('delay', version=2)", given(path))
    assert "it has resolved version 3" in said
    assert 'delay = { model = "delay", version = 2 }' in said


def test_an_undeclared_model_is_refused_with_the_line_to_write(run, tmp_path):
    said = run("load_model('delays')", given(tmp_path / "delay.pkl"))
    assert "There is no model 'delays': report card has delay. Did you mean 'delay'?" in said
    assert 'Add it to the inputs of [reports.card]: delays = { model = "delays" }.' in said


def test_a_model_of_a_package_that_is_missing_names_it(run, tmp_path):
    path = tmp_path / "delay.pkl"
    path.write_bytes(b"\x80\x04c" + b"nowhere.models\nTree\n.")
    said = run("load_model('delay')", given(path))
    assert "Add the package that provides 'nowhere' to the project's requirements." in said


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("save_model(1, '')", "TypeError: A model's name must be a non-empty string, found ''."),
        ("save_model(1, 'm', at=object)", "TypeError: Model m: metadata at=<class 'object'> is no"),
        ("save_model(1, 'm', rmse=float('nan'))", "TypeError: Model m: metadata rmse=nan is no"),
        ("save_model(lambda x: x, 'm')", "TypeError: Model m: function cannot be kept:"),
    ],
)
def test_what_cannot_be_kept_is_refused(run, checkout, call, error):
    assert run(call).startswith(error)
    assert not (checkout.work / "results.jsonl").exists()
    assert not list((checkout.work / "out").rglob("*.pkl"))


def test_metadata_is_plain_json(run, checkout):
    run("save_model(1, 'm', window=(1, 2), note='é')")
    [line] = checkout.results
    assert json.dumps(line["model"]["metadata"]) == '{"window": [1, 2], "note": "\\u00e9"}'
