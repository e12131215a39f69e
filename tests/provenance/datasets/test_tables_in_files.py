import gzip
import io
import json
import math
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from provenance.datasets.brought import keep_file, nothing_yet
from provenance.datasets.elsewhere import convert_elsewhere, prepare_elsewhere
from provenance.datasets.forms import CSV, JSON, JSON_GZIP, PARQUET, safe_filename
from provenance.datasets.frames import FrameError, convert, describe
from provenance.datasets.models import model_details, write_package
from provenance.datasets.names import MODEL
from provenance.datasets.prepare import prepare
from provenance.ledger.data_tables import Batch
from provenance.store import Store
from tests.provenance.datasets.making import stage

SALES = "day,item,price\n2013-01-31,é,2\n2013-02-01,b,3.5\n"


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(SALES)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    made.mkdir()
    return made


def converted(source: Path, media_type: str, wanted: str) -> bytes:
    target = io.BytesIO()
    convert(source, media_type, wanted, target)
    return target.getvalue()


def parquet(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_csv_becomes_parquet_whose_types_are_told(sales, folder):
    done = prepare(sales, folder)
    assert (done.filename, done.described.media_type, done.described.rows) == (
        "sales.parquet",
        PARQUET,
        2,
    )
    assert done.described.columns == (
        {"name": "day", "type": "date32[day]"},
        {"name": "item", "type": "string"},
        {"name": "price", "type": "double"},
    )
    assert pq.ParquetFile(done.path).metadata.row_group(0).column(0).compression == "ZSTD"
    again = folder / "again"
    again.mkdir()
    assert prepare(sales, again).path.read_bytes() == done.path.read_bytes()


def test_csv_is_kept_as_it_is_where_that_is_asked_for(sales, folder):
    done = prepare(sales, folder, keep=True)
    assert (done.path, done.described.media_type, done.described.rows) == (sales, CSV, 2)


def test_a_process_of_its_own_does_the_same(sales, folder):
    done = prepare_elsewhere(sales, folder)
    assert (done.filename, done.described.rows) == ("sales.parquet", 2)
    target = folder / "back.csv"
    convert_elsewhere(done.path, PARQUET, CSV, target)
    assert "2013-02-01" in target.read_text()
    broken = folder / "broken.parquet"
    broken.write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(FrameError, match=r"broken.parquet cannot be read as Parquet"):
        prepare_elsewhere(broken, folder)


@pytest.mark.parametrize("value", ["x" * 2_000, "x" * 10_000_000], ids=["disk", "memory"])
def test_a_small_table_that_unfolds_without_end_is_stopped(tmp_path, value):
    path = tmp_path / "bomb.parquet"
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000, pa.int32()), pa.array([value]))
    pq.write_table(pa.table({"a": column}), path)
    script = tmp_path / "limited.py"
    script.write_text(
        "import sys\n"
        "from provenance.datasets import elsewhere\n"
        "elsewhere.LARGEST, elsewhere.MOST_MEMORY = 1_000_000, 2 * 1024**3\n"
        "elsewhere.main()\n"
    )
    done = subprocess.run(
        [sys.executable, script, "convert", path, PARQUET, JSON, tmp_path / "out.json"],
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert (tmp_path / "out.json").stat().st_size <= 1_000_000


def test_json_is_kept_compressed_and_given_back_plain(tmp_path, folder):
    source = tmp_path / "settings.json"
    source.write_text('{"limit": 3, "names": ["a"]}\n')
    done = prepare(source, folder)
    assert (done.filename, done.described.media_type) == ("settings.json.gz", JSON_GZIP)
    assert gzip.decompress(done.path.read_bytes()) == source.read_bytes()
    assert converted(done.path, JSON_GZIP, JSON) == source.read_bytes()
    with pytest.raises(FrameError, match="no table"):
        converted(done.path, JSON_GZIP, CSV)


def test_any_other_file_is_kept_as_it_is(tmp_path, folder):
    source = tmp_path / "fit.rds"
    source.write_bytes(b"\x1f\x8b R")
    done = prepare(source, folder)
    assert (done.path, done.described.rows, done.described.columns) == (source, None, None)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("ragged.csv", b"a,b\n1,2,3\n", "ragged.csv cannot be read as CSV: .*Expected 2"),
        ("twice.csv", b"a,a\n1,2\n", "Two columns are called 'a'"),
        ("empty.csv", b"", "empty.csv cannot be read as CSV"),
        ("text.json", b"{not json", "text.json is no JSON document"),
        ("text.json", b'{"a": NaN}', "no JSON document: it holds NaN"),
        ("text.json", b"[-Infinity]", "no JSON document: it holds -Infinity"),
        ("photo.parquet", b"\x89PNG", "photo.parquet cannot be read as Parquet"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path, folder, name, content, said):
    source = tmp_path / name
    source.write_bytes(content)
    with pytest.raises(FrameError, match=said):
        prepare(source, folder)
    assert list(folder.glob("*.gz")) == []


def test_a_table_of_very_many_columns_is_refused(tmp_path):
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"c{number}": [1] for number in range(10_001)}), path)
    with pytest.raises(FrameError, match="10,001 columns"):
        describe(path)


def test_every_form_gives_the_same_rows(sales, folder):
    table = prepare(sales, folder).path
    rows = [
        {"day": "2013-01-31", "item": "é", "price": 2.0},
        {"day": "2013-02-01", "item": "b", "price": 3.5},
    ]
    assert json.loads(converted(table, PARQUET, JSON)) == rows
    assert json.loads(converted(sales, CSV, JSON)) == rows
    told = converted(table, PARQUET, CSV).decode().splitlines()
    assert told == ['"day","item","price"', '2013-01-31,"é",2', '2013-02-01,"b",3.5']
    assert converted(sales, CSV, CSV) == SALES.encode()
    back = folder / "back.parquet"
    back.write_bytes(converted(sales, CSV, PARQUET))
    assert pq.read_table(back).equals(pq.read_table(table))


def test_types_that_a_form_cannot_hold_are_named(tmp_path):
    lists = parquet(tmp_path / "lists.parquet", day=[1], tags=[["a", "b"]])
    with pytest.raises(FrameError, match=r"Column 'tags' is of type list<.*>, which CSV"):
        converted(lists, PARQUET, CSV)
    assert json.loads(converted(lists, PARQUET, JSON)) == [{"day": 1, "tags": ["a", "b"]}]
    raw = parquet(tmp_path / "raw.parquet", blob=[b"\xff"])
    with pytest.raises(FrameError, match="bytes has no form in JSON"):
        converted(raw, PARQUET, JSON)


def test_numbers_that_json_does_not_have_are_null(tmp_path):
    odd = parquet(tmp_path / "odd.parquet", x=[math.nan, math.inf, 1.5], y=[None, "a", "b"])
    assert [row["x"] for row in json.loads(converted(odd, PARQUET, JSON))] == [None, None, 1.5]


def test_an_empty_table_is_one(tmp_path):
    empty = parquet(tmp_path / "empty.parquet", x=pa.array([], pa.int64()))
    assert describe(empty).rows == 0
    assert json.loads(converted(empty, PARQUET, JSON)) == []
    assert converted(empty, PARQUET, CSV) == b'"x"\n'


def test_categories_are_written_as_their_values(tmp_path):
    path = parquet(tmp_path / "c.parquet", c=pa.array(["a", "b", "a"]).dictionary_encode())
    assert converted(path, PARQUET, CSV).decode().split() == ['"c"', '"a"', '"b"', '"a"']


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.csv", "a.csv"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.pkl", "x.pkl"),
        ("é\r\nX: y.csv", "---X--y.csv"),
        ("..", "file"),
        ("", "file"),
        (".hidden", "hidden"),
    ],
)
def test_names_of_files_lead_nowhere_else(name, safe):
    assert safe_filename(name) == safe


def package(store: Store, batch: Batch) -> tuple[bytes, dict[str, bytes]]:
    target = io.BytesIO()
    write_package(store, batch, target)
    with zipfile.ZipFile(target) as found:
        return target.getvalue(), {name: found.read(name) for name in found.namelist()}


def test_a_package_says_of_itself_what_it_is(ledger, tmp_path):
    store = Store(tmp_path / "store")
    blob, record = store.put_bytes(b"pickled"), store.put_bytes(b'{"schema": "r"}')
    batch = stage(
        ledger,
        kind=MODEL,
        dataset="delay",
        sha256=blob.sha256,
        size=blob.size,
        filename="../metadata.json",
        record=record.sha256,
        details=model_details({"features": ["hour"]}, {"rmse": 14.2, "gap": None}, "pickle"),
    )
    whole, files = package(store, batch)
    assert files["object-metadata.json"] == b"pickled"
    assert json.loads(files["metadata.json"]) == {"features": ["hour"]}
    assert json.loads(files["metrics.json"]) == {"rmse": 14.2, "gap": None}
    assert files["record.json"] == b'{"schema": "r"}'
    told = json.loads(files["model.json"])
    assert (told["name"], told["version"], told["object"], told["sha256"]) == (
        "delay",
        1,
        "object-metadata.json",
        blob.sha256,
    )
    sums = dict(line.split("  ")[::-1] for line in files["SHA256SUMS"].decode().splitlines())
    assert set(sums) == set(files) - {"SHA256SUMS"}
    assert sums["object-metadata.json"] == blob.sha256
    assert package(store, batch)[0] == whole
    assert "page" not in told, "the address of an installation would make other bytes"


def test_what_was_prepared_goes_into_the_store_with_all_that_is_known(sales, folder, tmp_path):
    store = Store(tmp_path / "store")
    new = keep_file(store, prepare(sales, folder), nothing_yet("sold", "ada"))
    assert store.has(new.sha256)
    assert (new.rows, new.filename, new.media_type, new.actor) == (
        2,
        "sales.parquet",
        PARQUET,
        "ada",
    )
    assert [column["name"] for column in new.columns] == ["day", "item", "price"]
