"""A stage runs in a child that knows the project's files and nothing else of ours."""

import hashlib
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

PARQUET = "application/vnd.apache.parquet"
DATE = {"date": {"type": "date", "value": "2013-01-31"}}


def stage(checkout, body, **parts):
    checkout.write("stages/features.py", textwrap.dedent(body))
    return checkout.stage("stages.features:build", **parts)


def given(path, name="departures"):
    return {name: {"path": str(path), "media_type": PARQUET, "sha256": "0" * 64}}


def output(result, index=0):
    assert result["status"] == "ok", result
    return Path(result["outputs"][index]["path"])


def test_the_projects_own_modules_are_imported_and_never_ours(checkout, bare_python):
    checkout = replace(checkout, python=bare_python)
    checkout.write("app.py", "OWNER = 'theirs'")
    checkout.write("pipeline/__init__.py", "OWNER = 'theirs'")
    checkout.write("provenance.py", "OWNER = 'theirs'")
    body = """
        import sys
        import app, pipeline, provenance
        def build():
            owners = {app.OWNER, pipeline.OWNER, provenance.OWNER}
            ours = [m for m in sys.modules if m.split(".")[0] in ("provenote",)]
            files = [m.__file__ for m in (app, pipeline, provenance)]
            return repr((owners, sorted(ours), files))
    """
    owners, ours, files = eval(output(stage(checkout, body)).read_text())
    assert owners == {"theirs"}
    assert all(file.startswith(str(checkout.root)) for file in files)
    assert "provenote" in ours


def test_without_such_modules_ours_are_not_to_be_had(checkout, bare_python):
    checkout = replace(checkout, python=bare_python)
    for module in ("app", "pipeline", "provenance"):
        result = stage(checkout, f"import {module}\ndef build(): return 'x'")
        assert (result["kind"], result["where"]) == ("import", "stages/features.py:1")
        assert module in result["hint"]


def test_the_search_path_comes_first_in_the_given_order(checkout):
    checkout.write("src/helper.py", "WHO = 'src'")
    checkout.write("helper.py", "WHO = 'root'")
    search = [str(checkout.root / "src"), str(checkout.root)]
    result = stage(checkout, "import helper\ndef build(): return helper.WHO", search=search)
    assert output(result).read_text() == "src"


@pytest.mark.parametrize(
    ("header", "annotation"),
    [
        ("import pandas as pd", "pd.DataFrame"),
        ("import pandas as pd", "'pd.DataFrame'"),
        ("from __future__ import annotations", "pandas.DataFrame"),
        ("", "'DataFrame'"),
        ("import pandas as pd", "pd.DataFrame | None"),
    ],
)
def test_an_argument_annotated_so_is_a_frame(checkout, header, annotation):
    file = checkout.work / "departures.parquet"
    pd.DataFrame({"a": [1, 2, 3]}).to_parquet(file)
    body = f"{header}\ndef build(departures: {annotation}): return str(departures['a'].sum())"
    assert output(stage(checkout, body, inputs=given(file))).read_text() == "6"


def test_other_inputs_are_paths_and_several_outputs_a_dict_of_them(checkout):
    body = """
        def build(one, two, rest=5):
            return f"{type(one).__name__} {one.name} {sorted(two)} {two['a'].name} {rest}"
    """
    inputs = {**given("/data/x.bin", "one"), "two": {"outputs": {"a": {"path": "/data/a.csv"}}}}
    assert output(stage(checkout, body, inputs=inputs)).read_text().endswith("['a'] a.csv 5")


def test_params_arrive_as_values_and_dates_as_text_where_annotated_so(checkout):
    body = """
        def build(date, rows: int, day: str, **rest):
            return repr((date.year, rows, day, rest))
    """
    params = {
        **DATE,
        "day": DATE["date"],
        "rows": {"type": "int", "value": 3},
        "on": {"type": "bool", "value": True},
    }
    text = output(stage(checkout, body, params=params)).read_text()
    assert text == "(2013, 3, '2013-01-31', {'on': True})"


def test_a_missing_argument_names_the_nearest(checkout):
    result = stage(checkout, "def build(departure): return 'x'", inputs=given("/x.parquet"))
    assert result["kind"] == "arguments"
    assert "build() takes 'departure', which stage features does not have" in result["message"]
    assert "Did you mean 'departures'?" in result["hint"]


def test_equal_frames_give_equal_bytes_without_leftover_row_numbers(checkout):
    body = """
        import pandas as pd
        def build():
            frame = pd.DataFrame({"a": range(9), "b": list("abcdefghi")})
            return {"odd": frame[frame["a"] % 2 == 1], "named": frame.set_index("b")}
    """

    def run():
        result = stage(checkout, body)
        paths = [output(result, i) for i in range(2)]
        return result, [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]

    (result, first), (_, second) = run(), run()
    assert first == second
    assert [o["media_type"] for o in result["outputs"]] == [PARQUET, PARQUET]
    assert pq.read_schema(output(result, 0)).names == ["a", "b"]
    assert pd.read_parquet(output(result, 1)).index.name == "b"
    column = pq.ParquetFile(output(result)).metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"


def test_every_kind_of_return_value_has_its_file(checkout):
    outside = checkout.work / "model.json"
    outside.write_text("{}")
    body = f"""
        import pathlib, provenote
        def build():
            inside = provenote.output("table.csv")
            inside.write_text("a\\n")
            kept = pathlib.Path({str(outside)!r})
            return {{"raw": b"1", "text": "é", "made": inside, "kept": kept}}
    """
    outputs = {o["name"]: o for o in stage(checkout, body)["outputs"]}
    names = {name: Path(o["path"]).name for name, o in outputs.items()}
    assert names == {
        "raw": "raw.bin",
        "text": "text.txt",
        "made": "table.csv",
        "kept": "kept.json",
    }
    assert {Path(o["path"]).parent for o in outputs.values()} == {checkout.work / "out"}
    assert Path(outputs["text"]["path"]).read_text("utf-8") == "é"
    assert outputs["made"]["media_type"] == "text/csv"


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        ("None", "no_output", "returned nothing"),
        ("{}", "no_output", "empty dict"),
        ("3.5", "bad_output", "provenote.metric()"),
        ("[1, 2]", "bad_output", "return a dict"),
        ("{'two words': 'x'}", "bad_output", "identifiers"),
        ("{'a': None}", "bad_output", "returned NoneType as output 'a'"),
        ("__import__('pathlib').Path('gone.csv')", "bad_output", "is not there"),
        ("__import__('pandas').Series([1])", "bad_output", "to_frame()"),
        ("__import__('pandas').DataFrame({'a': [1, 'x']})", "bad_output", "one type"),
    ],
)
def test_a_useless_return_value_teaches(checkout, value, kind, said):
    result = stage(checkout, f"def build(): return {value}")
    assert (result["status"], result["kind"]) == ("error", kind)
    assert said in f"{result['message']} {result['hint']}"


def test_an_exception_points_at_the_users_last_line_and_shows_their_frames_only(checkout):
    checkout.write("helper.py", "import json\ndef parse():\n    return json.loads('{')\n")
    body = "import helper\n\ndef build():\n    return helper.parse()\n"
    result = stage(checkout, body)
    assert result["kind"] == "exception"
    assert result["message"].startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert result["where"] == "helper.py:3"
    assert 'File "stages/features.py", line 4, in build' in result["traceback"]
    assert "return helper.parse()" in result["traceback"]
    assert "provenote" not in result["traceback"]
    assert str(checkout.root) not in result["traceback"]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise ValueError('first\\nsecond')", "ValueError: first"),
    ],
)
def test_no_way_of_ending_escapes_being_a_result(checkout, statement, message):
    result = stage(checkout, f"def build():\n    {statement}\n")
    assert (result["kind"], result["message"]) == ("exception", message)
    assert result["where"] == "stages/features.py:2"


def test_a_syntax_error_is_an_import_error_at_its_line(checkout):
    result = stage(checkout, "x = 1\ndef build(:\n    pass\n")
    assert (result["kind"], result["where"]) == ("import", "stages/features.py:2")
    assert result["message"].startswith("SyntaxError: ")


def test_a_wrong_module_or_function_names_the_nearest(checkout):
    checkout.write("stages/features.py", "def build(): return 'x'")
    module = checkout.stage("stages.feature:build")
    assert (module["kind"], module["hint"]) == ("import", "Did you mean 'features'?")
    function = checkout.stage("stages.features:biuld")
    assert function["message"] == "stages/features.py has no function 'biuld'."
    assert function["hint"] == "Did you mean 'build'?"


def test_metrics_checks_and_prints_of_a_stage_are_kept(checkout):
    body = """
        import numpy as np, provenote
        def build(date):
            print("working")
            provenote.metric("rows", np.int64(3), unit="rows", better="higher")
            provenote.metric("gap", float("inf"))
            provenote.check(np.bool_(False), "no gaps — none")
            assert provenote.params.date is provenote.params["date"] is date
            return "x"
    """
    result = stage(checkout, body, params=DATE)
    assert result["status"] == "ok", result
    assert result["stdout"] == "working\n"
    assert checkout.results == [
        {"metric": {"name": "rows", "value": 3.0, "unit": "rows", "better": "higher"}},
        {"metric": {"name": "gap", "value": None, "unit": None, "better": None}},
        {"check": {"ok": False, "message": "no gaps — none"}},
    ]


def test_a_report_reads_its_inputs_and_writes_beside_them(checkout):
    inputs = given("/data/x.parquet")
    context = checkout.context(inputs=inputs, name="sanity_check")
    code = (
        "import provenote; print(provenote.input('departures'));"
        "provenote.output('extra.csv').write_text('1'); provenote.input('departure')"
    )
    process = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**checkout.environment, "PROVENOTE_CONTEXT": str(context)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stdout.strip() == "/data/x.parquet"
    assert (checkout.work / "out" / "extra.csv").read_text() == "1"
    assert "report sanity_check has departures. Did you mean 'departures'?" in process.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="prctl exists on Linux only")
def test_the_child_dies_with_its_parent(checkout):
    body = """
        import os, pathlib, time
        def build():
            pathlib.Path("pid").write_text(str(os.getpid()))
            time.sleep(60)
    """
    checkout.write("stages/features.py", textwrap.dedent(body))
    context = checkout.context("stages.features:build")
    code = (
        "import subprocess, sys; subprocess.run([sys.executable, '-P', '-m', 'provenote._stage',"
        f" {str(context)!r}, 'result.json'])"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=checkout.work, env=checkout.environment
    )
    pid_file = checkout.work / "pid"
    try:
        wait_until(lambda: pid_file.exists() and pid_file.read_text())
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_until(lambda: is_gone(int(pid_file.read_text())))


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
