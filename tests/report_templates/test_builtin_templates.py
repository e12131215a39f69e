"""The built-in templates, executed in a kernel over tables good and awkward."""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.report_templates.bench import INPUTS, ROOT, Bench


@pytest.fixture(scope="module")
def bench(default_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import KernelManager

    folder = tmp_path_factory.mktemp("templates")
    spec = folder / "kernels" / "default"
    spec.mkdir(parents=True)
    command = [str(default_environment), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    environment = {"PYTHONPATH": str(ROOT / "sdk")}
    described = {"argv": command, "display_name": "", "language": "python", "env": environment}
    (spec / "kernel.json").write_text(json.dumps(described))
    specs = KernelSpecManager(kernel_dirs=[str(spec.parent)], ensure_native_kernel=False)
    # Unix sockets need short paths.
    with tempfile.TemporaryDirectory(dir="/tmp") as sockets:
        manager = KernelManager(
            kernel_name="default",
            kernel_spec_manager=specs,
            transport="ipc",
            ip=f"{sockets}/k",
            connection_file=f"{sockets}/c.json",
        )
        manager.start_kernel(cwd=str(folder))
        try:
            yield Bench(manager, folder)
        finally:
            with contextlib.suppress(RuntimeError):
                manager.shutdown_kernel(now=True)


def flights(rows: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(7)
    actual = 20 + random.normal(0, 6, rows)
    return pd.DataFrame(
        {
            "time": pd.date_range("2013-01-01", periods=rows, freq="h"),
            "carrier": random.choice(["AA", "UA", "<b>x</b>"], rows),
            "origin": pd.Categorical(random.choice(["EWR", "JFK"], rows)),
            "delay": np.where(random.random(rows) < 0.1, np.nan, actual),
            "actual": actual,
            "predicted": actual + random.normal(1, 2, rows),
        }
    )


def awkward() -> dict[str, pd.DataFrame]:
    from datetime import date
    from decimal import Decimal

    pair = {"actual": [1.0, 2.0], "predicted": [1.0, 2.0]}
    infinite = {"actual": [1, np.inf, -np.inf, np.nan], "predicted": [1.0, 2.0, np.inf, 2.0]}
    kinds = {
        "actual": range(3),
        "predicted": pd.array([1, None, 3], dtype="Int64"),
        "date": [date(2020, 1, 1), None, date(2020, 1, 3)],
        "decimal": [Decimal("1.5"), None, Decimal(2)],
        "list": [[1], [2, 3], None],
        "nested": [{"a": 1}, {"a": 2}, {"a": 3}],
        "bytes": [b"x", b"y", None],
        "truth": pd.array([True, None, False], dtype="boolean"),
        "zone": pd.date_range("2020", periods=3, tz="Europe/Berlin"),
        "span": pd.to_timedelta([1, 2, 3], unit="h"),
        "level": pd.Categorical(["a", "b", None]),
        "period": pd.period_range("2020-01", periods=3, freq="M"),
    }
    odd = {"$x^2$ | *y*": ["<script>", "{0}", None], "{name}": ["a", "b", "é"]}
    return {
        "no rows": flights().iloc[:0],
        "no columns": pd.DataFrame(),
        "all missing": pd.DataFrame({"actual": [np.nan] * 3, "predicted": [np.nan] * 3, "t": None}),
        "one row": pd.DataFrame({"actual": [1.0], "predicted": [2.0]}),
        "constant": pd.DataFrame({"actual": [1.0] * 40, "predicted": [1.0] * 40, "g": "a"}),
        "infinite": pd.DataFrame(infinite),
        "many kinds": pd.DataFrame(kinds),
        "no numbers": pd.DataFrame(odd),
        "names that are numbers": pd.DataFrame(np.eye(12, 3), columns=[0, 1, 2]),
        "grouped names": pd.DataFrame(
            np.eye(12, 2), columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
        ),
        "named index": pd.DataFrame(pair, index=pd.Index([5, 6], name="id")),
        "many columns": pd.DataFrame(np.eye(20, 60)).add_prefix("a long name of a column "),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", INPUTS)
def test_awkward_tables_end_in_a_report_and_not_in_an_error(bench: Bench, name: str) -> None:
    for what, table in awkward().items():
        path = bench.save(table)
        result = bench.run(name, **dict.fromkeys(INPUTS[name], path))
        if name == "model_card" and len(table.columns) and "actual" not in table:
            assert len(result.errors) >= 1, what
            assert "The table has no column actual" in result.errors[0], what
        else:
            assert result.errors == [], what
        assert "<script>" not in result.text, what


@pytest.mark.parametrize("name", INPUTS)
def test_an_empty_csv_is_an_empty_table(bench: Bench, name: str) -> None:
    path = bench.folder / "empty.csv"
    path.write_text("")
    assert bench.run(name, **dict.fromkeys(INPUTS[name], str(path))).errors == []


@pytest.mark.parametrize("name", INPUTS)
def test_a_template_without_its_input_says_what_to_do(bench: Bench, name: str) -> None:
    assert "No table was given: set the path" in bench.run(name).errors[0]


def test_an_input_of_several_outputs_is_refused_by_name(bench: Bench) -> None:
    path = bench.save(flights())
    assert bench.run("sanity_check", frame={"only": path}).errors == []
    result = bench.run("sanity_check", frame={"left": path, "right": path})
    assert "2 outputs (left, right)" in result.errors[0]


def test_sanity_check_finds_gaps_repetitions_and_broken_keys(bench: Bench) -> None:
    table = flights()
    passed = bench.run("sanity_check", frame=bench.save(table), key="time")
    assert passed.failed == []
    assert passed.metrics["rows"] == 400
    assert "delay misses" in passed.text
    table = pd.concat([table, table.head(40)])
    table["delay"] = np.nan
    broken = bench.run("sanity_check", frame=bench.save(table), key="time", min_rows=1000)
    assert len(broken.failed) == 4
    assert broken.metrics["repeated rows"] == 40
    assert bench.run("sanity_check", frame=bench.save(table), key="nope").failed[-1] == (
        "key columns exist (missing: nope)"
    )


def test_regression_test_holds_predictions_against_limits_and_baseline(bench: Bench) -> None:
    before, now = flights(), flights()
    now["predicted"] = now["actual"] + 2 * (now["predicted"] - now["actual"])
    paths = {"current": bench.save(now), "baseline": bench.save(before)}
    worse = bench.run("regression_test", **paths, limits={"rmse": 1, "nope": 1, "r2": -99})
    error = now["predicted"] - now["actual"]
    assert worse.metrics["rmse"] == pytest.approx(float(np.sqrt((error**2).mean())))
    assert any(message.startswith("rmse is at most 1 ") for message in worse.failed)
    assert any(message.startswith("rmse is at most 5 % worse") for message in worse.failed)
    assert "nope has a limit and is among the metrics" in worse.failed
    assert not any(message.startswith("r2 is at least") for message in worse.failed)
    same = bench.run("regression_test", current=paths["current"], baseline=paths["current"])
    assert same.failed == []
    assert "No metric moved" in same.text
    alone = bench.run("regression_test", current=paths["current"])
    assert alone.failed == []
    assert "no baseline" in alone.text


def test_regression_test_reads_tables_of_metrics(bench: Bench) -> None:
    now = pd.DataFrame({"metric": ["rmse", "accuracy"], "value": [15.0, 0.9]})
    old = pd.DataFrame({"metric": ["rmse", "accuracy", "auc"], "value": [15.0, 0.99, 0.8]})
    result = bench.run("regression_test", current=bench.save(now), baseline=bench.save(old))
    assert result.metrics == {"rmse": 15.0, "accuracy": 0.9}
    assert result.failed == [
        "accuracy is at most 5 % worse than before (0.99 → 0.9)",
        "auc is still among the metrics",
    ]


def test_anomaly_report_finds_a_spike_and_only_it(bench: Bench) -> None:
    table = flights()
    table.loc[300, "actual"] = 200.0
    result = bench.run("anomaly_report", frame=bench.save(table), column="actual", threshold=6.0)
    assert result.metrics["unusual points"] == 1
    assert result.failed == []
    assert "2013-01-13 12:00" in result.text
    strict = bench.run(
        "anomaly_report", frame=bench.save(table), column="actual", threshold=6.0, max_share=0.0
    )
    assert strict.failed == ["at most 0 % of points unusual (found 0.3 %)"]


def test_anomaly_report_compares_like_with_like(bench: Bench) -> None:
    hours = pd.date_range("2013-01-01", periods=24 * 30, freq="h")
    noise = np.random.default_rng(1).normal(0, 0.5, len(hours))
    table = pd.DataFrame({"t": hours, "v": np.where(hours.hour == 3, 100.0, 1.0) + noise})
    path = bench.save(table)
    naive = bench.run("anomaly_report", frame=path, threshold=10.0)
    like = bench.run("anomaly_report", frame=path, threshold=10.0, like="hour")
    # The first comes before there is a history to judge it by.
    assert naive.metrics["unusual points"] == 29
    assert like.metrics["unusual points"] == 0


def test_compare_outputs_tells_same_from_changed(bench: Bench) -> None:
    left = flights()
    right = left.drop(index=range(5)).drop(columns="carrier").assign(new=1)
    right.loc[10:19, "delay"] = -1.0
    same = bench.run("compare_outputs", left=bench.save(left), right=bench.save(left))
    assert same.failed == []
    assert "hold the same values" in same.text
    result = bench.run("compare_outputs", left=bench.save(left), right=bench.save(right))
    assert result.metrics == {"changed rows": 10, "removed rows": 5, "added rows": 0}
    assert result.failed == [
        "both versions have the same columns",
        "no row differs (found 15 rows, 3.8 %)",
    ]
    nudged = left.assign(actual=left["actual"] * (1 + 1e-9))
    paths = {"left": bench.save(left), "right": bench.save(nudged)}
    assert bench.run("compare_outputs", **paths).metrics["changed rows"] == 400
    assert bench.run("compare_outputs", **paths, tolerance=1e-6).failed == []


def test_model_card_measures_overall_and_by_group(bench: Bench) -> None:
    table = flights().assign(lower=-100.0, upper=100.0)
    table.loc[:39, "predicted"] = np.nan
    result = bench.run("model_card", predictions=bench.save(table), limits={"coverage": 0.95})
    error = (table["predicted"] - table["actual"]).dropna()
    assert result.metrics["mae"] == pytest.approx(error.abs().mean())
    assert result.metrics["bias"] == pytest.approx(error.mean())
    assert result.metrics["coverage"] == pytest.approx(0.9)
    assert result.metrics["interval coverage"] == 1.0
    assert result.failed == ["coverage is at least 0.95 (found 0.9)"]
    assert "carrier: errors are largest for" in result.text
    assert "origin: errors are largest for" in result.text
