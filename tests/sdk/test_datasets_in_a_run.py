"""In a run, datasets are what its manifest declares; what is stored is noted for publication."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

BATCH = "batch_0199"


def given(path, partition="2013-01-31", batch=BATCH, **more):
    told = {"path": str(path), "media_type": "application/vnd.apache.parquet", "sha256": "0" * 64}
    named = {"dataset": "sold_items", "partition": partition, "batch": batch, "kind": "data"}
    return told | named | more


@pytest.fixture
def sold(tmp_path):
    path = tmp_path / "sold.parquet"
    pd.DataFrame({"item": ["a", "b"], "sold": [1, 2]}).to_parquet(path)
    return path


@pytest.fixture
def run(checkout):
    """Runs a line of a template and returns what it printed last, or its error."""

    def execute(code, inputs, as_of=None, **parts):
        code = f"import pandas as pd\n{code}"
        return checkout.line(code, inputs=inputs, name="card", as_of=as_of, **parts)

    return execute


DATE = {"date": {"type": "date", "value": "2013-01-31"}}


@pytest.mark.parametrize(
    "call",
    [
        "load_dataframe('sold_items', '2013-01-31')",
        "load_dataframe('sold_items', params.date)",
        "load_dataframe('sold_items')",
        f"load_dataframe('sold_items', batch='{BATCH}')",
        "load_dataframe('sold_items', as_of='2013-02-01')",
        "load_dataframe('sold_items', as_of='2013-02-02T00:59:59.999999+01:00')",
        "load_dataframe('sold_items', snapshot='closing')",
    ],
)
def test_a_declared_partition_is_loaded(run, sold, call):
    inputs = {"sold": given(sold, snapshot="closing")}
    moment = "2013-02-01T23:59:59.999999+00:00"
    assert run(f"print({call}.sold.sum())", inputs, as_of=moment, params=DATE) == "3"


def test_the_path_of_a_batch_is_an_input_like_any_other(run, sold):
    assert run("print(input('sold'))", {"sold": given(sold)}) == str(sold)


def test_an_input_of_all_partitions_is_a_dict_of_paths_and_each_can_be_loaded(run, sold, tmp_path):
    other = tmp_path / "other.parquet"
    pd.DataFrame({"sold": [40]}).to_parquet(other)
    parts = {"2013-01-31": given(sold), "2013-02-28": given(other, "2013-02-28", "batch_2")}
    inputs = {"sold": {"outputs": parts}}
    assert run("print(sorted(input('sold')))", inputs) == "['2013-01-31', '2013-02-28']"
    assert run("print(load_dataframe('sold_items', '2013-02-28').sold[0])", inputs) == "40"
    said = run("load_dataframe('sold_items')", inputs)
    assert "reads several partitions of sold_items: 2013-01-31, 2013-02-28" in said


def test_two_versions_of_one_partition_are_told_apart_by_what_is_chosen(run, sold, tmp_path):
    other = tmp_path / "other.parquet"
    pd.DataFrame({"sold": [40]}).to_parquet(other)
    inputs = {"sold": given(sold), "old": given(other, batch="batch_old")}
    assert run("print(load_dataframe('sold_items', batch='batch_old').sold[0])", inputs) == "40"


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (
            "load_dataframe('sold_item', '2013-01-31')",
            [
                "There is no dataset 'sold_item': report card has sold_items.",
                "Did you mean 'sold_items'?",
                "Add it to the inputs of [reports.card]: "
                'sold_item = { dataset = "sold_item", partition = "{date}" }',
            ],
        ),
        (
            "load_dataframe('sold_items', '2013-03-31')",
            ["no partition of sold_items '2013-03-31'", 'partition = "2013-03-31" }'],
        ),
        (
            "load_dataframe('sold_items', batch='batch_7')",
            [
                f"has resolved batch {BATCH} when it began",
                'sold = { dataset = "sold_items", partition = "{date}", batch = "batch_7" }',
            ],
        ),
        (
            "load_dataframe('sold_items', snapshot='closing')",
            ["snapshot='closing' is not what this run reads", 'snapshot = "closing" }'],
        ),
        (
            "load_dataframe('sold_items', as_of='2013-02-01')",
            ["as_of='2013-02-01' is not what this run reads", "`provenote run --as-of`"],
        ),
    ],
)
def test_what_the_run_does_not_read_is_refused_with_the_line_to_write(run, sold, call, parts):
    said = run(call, {"sold": given(sold)}, params=DATE)
    assert said.startswith("provenote._context.ContextError: ")
    for part in parts:
        assert part in said


def test_another_moment_than_the_runs_is_refused(run, sold):
    said = run(
        "load_dataframe('sold_items', as_of='2013-03-01')", {"sold": given(sold)}, "2013-02-01"
    )
    assert f"it has resolved batch {BATCH} as of 2013-02-01" in said


def test_a_stored_frame_is_noted_with_its_rows_and_columns(run, checkout):
    frame = "pd.DataFrame({'item': ['a'], 'sold': [1]})"
    said = run(f"store_dataframe({frame}, 'sold_items', params.date)", {}, params=DATE)
    assert said.startswith("batch for sold_items/2013-01-31: 1 rows")
    [line] = checkout.results
    batch = line["batch"]
    path = Path(batch.pop("path"))
    assert batch == {
        "dataset": "sold_items",
        "partition": "2013-01-31",
        "rows": 1,
        "columns": [
            {"name": "item", "type": "large_string"},
            {"name": "sold", "type": "int64"},
        ],
    }
    assert path.is_relative_to(checkout.work / "out" / ".provenote")
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize(
    ("frame", "parts"),
    [
        ("[1, 2]", ["expects a pandas DataFrame, found list"]),
        (
            "pd.DataFrame({'ok': [1, 2], 'odd': [1, 'x']})",
            ["column 'odd' has the type object holding int and str"],
        ),
        (
            "pd.DataFrame({'ok': [1], 'z': [1j]})",
            ["column 'z' has the type complex128, which Parquet cannot keep"],
        ),
        ("pd.DataFrame([[1, 2]], columns=['a', 'a'])", ["there are several columns 'a'"]),
    ],
)
def test_a_frame_that_cannot_be_kept_is_refused_and_the_column_named(run, checkout, frame, parts):
    said = run(f"store_dataframe({frame}, 'sold_items', '2013-01-31')", {})
    assert said.startswith("TypeError: ")
    for part in parts:
        assert part in said
    assert not (checkout.work / "results.jsonl").exists()


@pytest.mark.parametrize("name", ["''", "None", "5"])
def test_a_dataset_needs_a_name(run, name):
    said = run(f"store_dataframe(pd.DataFrame(), {name}, '2013')", {})
    assert said.startswith("TypeError: store_dataframe: the dataset must be a name, found")
