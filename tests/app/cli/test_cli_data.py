import getpass
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.processes import Home, make_home

SALES = "item,price\nhat,2\ncap,3\n"
DAY = "2013-01-31"


@pytest.fixture
def home(tmp_path: Path, environments: Path) -> Iterator[Home]:
    made = make_home(tmp_path, environments)
    (tmp_path / "sales.csv").write_text(SALES)
    yield made
    made.kill()


def ask(home: Home, *words: str, status: int = 0):
    """Run a command with ``--json`` and return its document."""
    done = home.run(*words[:2], "--json", *words[2:])
    assert done.status == status, done.err
    return done.json


def bring(home: Home, text: str = SALES, *options: str, partition: str = DAY):
    (home.path.parent / "sales.csv").write_text(text)
    return ask(home, "data", "import", "sales.csv", "sold", partition, *options)


def test_the_life_of_a_partition(home):
    first = bring(home, SALES, "--reason", "nightly")
    second = bring(home, "item,price,note\nhat,2.5,x\n")
    assert (first["number"], second["number"], second["version"]) == (1, 2, 2)
    assert second["schema_change"] == "column price: int64 → double; column note added"
    assert ask(home, "data", "show", "sold", DAY)["id"] == second["id"]

    event = ask(home, "data", "rollback", "sold", DAY, "--reason", "wrong prices")
    assert (event["version"], event["op"], event["to"]) == (3, "rollback", first["id"])
    assert home.run("data", "export", "sold", DAY, "--format", "csv").out == (
        '"item","price"\n"hat",2\n"cap",3\n'
    )
    ask(home, "data", "publish", second["id"], "--seen", "3")
    ask(home, "data", "retire", "sold", DAY, "--reason", "gone")
    told = ask(home, "data", "log", "sold", DAY)["items"]
    assert [(one["op"], one["from_number"], one["to_number"], one["reason"]) for one in told] == [
        ("retire", 2, None, "gone"),
        ("publish", 1, 2, ""),
        ("rollback", 2, 1, "wrong prices"),
        ("publish", 1, 2, ""),
        ("publish", None, 1, "nightly"),
    ]
    assert {one["actor"] for one in told} == {getpass.getuser()}


def test_publishing_again_succeeds_moves_nothing_and_says_so(home):
    bring(home)
    batch = home.run("data", "import", "sales.csv", "sold", DAY, "--stage-only").out.strip()
    assert "is current in" in home.run("data", "publish", batch).err
    done = home.run("data", "publish", batch)
    assert (done.status, "is current already in" in done.err) == (0, True), done.err
    told = ask(home, "data", "log", "sold", DAY)["items"]
    assert [one["to_number"] for one in told] == [2, 1]
    assert ask(home, "data", "rollback", "sold", DAY, "--reason", "x")["to_number"] == 1


def test_a_damaged_file_is_bad_input_and_no_mistake_of_ours(home):
    bad = home.path.parent / "bad.parquet"
    pq.write_table(pa.table({"item": ["hat"], "price": [2]}), bad)
    data = bytearray(bad.read_bytes())
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    data[footer : footer + 8] = b"\xff" * 8
    bad.write_bytes(data)
    done = home.run("data", "import", "bad.parquet", "sold", DAY)
    assert done.status == 2
    assert "bad.parquet cannot be read as Parquet" in done.err
    assert "Mend the file" in done.err
    assert "Traceback" not in done.err
    assert "mistake of provenote" not in done.err


def test_a_name_of_a_column_that_is_no_text_is_bad_input(home):
    (home.path.parent / "bin.csv").write_bytes(b"\xff\xfe\0a\0\n")
    done = home.run("data", "import", "bin.csv", "sold", DAY)
    assert done.status == 2
    assert "bin.csv cannot be read as CSV" in done.err


def test_a_warning_tells_of_other_columns_and_not_on_standard_output(home):
    bring(home)
    done = home.run("data", "import", "sales.csv", "sold", DAY)
    assert "columns" not in done.err
    (home.path.parent / "sales.csv").write_text("item\nhat\n")
    done = home.run("data", "import", "sales.csv", "sold", DAY)
    assert "The columns changed: column price removed." in done.err
    assert re.fullmatch(r"batch_[0-9a-z]{26}\n", done.out)
    done = home.run("data", "rollback", "sold", DAY, "--reason", "price is needed")
    assert "The columns changed: column price added." in done.err
    lines = home.run("data", "log", "sold", DAY).out.splitlines()
    assert lines[1].strip() == "The columns changed: column price added."
    assert lines[3].strip() == "The columns changed: column price removed."
    assert len(lines) == 6
    told = ask(home, "data", "log", "sold")["items"]
    assert [one["schema_change"] for one in told[:2]] == [
        "column price added",
        "column price removed",
    ]
    done = home.run("data", "rollback", "sold", "2013-*", "--reason", "all")
    assert done.status == 2
    assert "cannot be the name of a partition" in done.err


def test_lists_and_shows_for_a_person(home):
    assert "provenote data import FILE" in home.run("data", "ls").out
    batch = bring(home)["id"]
    bring(home, "item,price\nhat,9\n", "--stage-only")
    assert "sold  1 partition  2 batches" in home.run("data", "ls").out
    assert f"{DAY}  #1  {batch}  2 rows" in home.run("data", "ls", "sold").out
    listed = home.run("data", "ls", "sold", DAY).out.splitlines()
    assert listed[0].startswith("#2")
    assert listed[1].endswith("current")
    told = home.run("data", "show", "sold", DAY).out
    assert "column     price: int64" in told
    assert "v1 (publish)" in told
    assert f"#1 {batch}" in home.run("data", "show", "sold").out
    assert "nothing → #1" in home.run("data", "log", "sold").out


def test_a_batch_can_be_chosen_by_number_instant_and_snapshot(home):
    first = bring(home)
    assert ask(home, "data", "snapshot", "sold", "audit")["batches"] == 1
    bring(home, "item,price\nhat,9\n")
    for chosen in ("--batch=1", f"--batch={first['id']}", "--snapshot=audit"):
        assert ask(home, "data", "show", "sold", DAY, chosen)["id"] == first["id"]
    now = ask(home, "data", "log", "sold")["items"][1]["at"]
    assert ask(home, "data", "show", "sold", DAY, f"--as-of={now}")["id"] == first["id"]
    done = home.run("data", "show", "sold", DAY, "--as-of=2013-01-31")
    assert done.status == 2
    assert "had nothing yet" in done.err
    assert f"Its first batch is {first['id']}" in done.err


def test_json_and_other_files_come_back_as_they_were(home):
    folder = home.path.parent
    (folder / "limits.json").write_text('{"limit": 3}\n')
    (folder / "fit.rds").write_bytes(b"\x00\x01")
    ask(home, "data", "import", "limits.json", "settings", "all")
    ask(home, "data", "import", "fit.rds", "fits", "all")
    assert home.run("data", "export", "settings", "all").out == '{"limit": 3}\n'
    told = ask(home, "data", "export", "fits", "all", "-o", "back.rds")
    assert told["path"] == "back.rds"
    assert (folder / "back.rds").read_bytes() == b"\x00\x01"
    path = Path(ask(home, "data", "path", "settings", "all")["path"])
    assert (path.name, path.read_text()) == ("limits.json", '{"limit": 3}\n')


def test_a_path_is_a_read_only_copy_that_mends_itself(home):
    batch = bring(home)
    path = Path(home.run("data", "path", "sold", DAY).out.strip())
    assert path.suffix == ".parquet"
    assert pq.read_table(path).num_rows == 2
    assert not path.stat().st_mode & 0o222
    stored = next((home.path / "store").glob(f"objects/*/{batch['sha256']}"))
    path.chmod(0o644)
    path.write_bytes(b"spoilt")
    assert stored.read_bytes() != b"spoilt"
    assert pq.read_table(home.run("data", "path", "sold", DAY).out.strip()).num_rows == 2


def test_the_same_key_brings_the_same_batch_and_publishes_once(home):
    first = bring(home, SALES, "--idempotency-key", "job-1")
    again = bring(home, SALES, "--idempotency-key", "job-1")
    assert (again["id"], again["version"]) == (first["id"], 1)


def test_a_key_with_another_file_is_refused_and_nothing_is_written(home):
    first = bring(home, SALES, "--idempotency-key", "job-1")
    other = SALES.replace("hat", "cap")
    assert other != SALES
    (home.path.parent / "sales.csv").write_text(other)
    done = home.run(
        "data", "import", "--json", "--idempotency-key", "job-1", "sales.csv", "sold", DAY
    )
    assert (done.status, done.json["error"]["code"]) == (3, "key_reused")
    assert [one["id"] for one in ask(home, "data", "ls", "sold", DAY)["items"]] == [first["id"]]


def test_who_saw_an_older_version_is_refused_and_the_batch_is_kept(home):
    bring(home)
    done = home.run("data", "import", "--json", "--seen", "0", "sales.csv", "sold", DAY)
    assert done.status == 3
    assert done.json["error"]["code"] == "conflict"
    assert "at version 1, not 0" in done.json["error"]["message"]
    assert len(ask(home, "data", "ls", "sold", DAY)["items"]) == 2


def test_the_same_content_again_is_said(home):
    bring(home)
    again = home.run("data", "import", "sales.csv", "sold", DAY)
    assert "It has the same content as batch 1." in again.err
    (home.path.parent / "sales.csv").write_text("item,price\nhat,7\n")
    other = home.run("data", "import", "sales.csv", "sold", DAY)
    assert "Batch 3 is current" in other.err
    assert "same content" not in other.err


def test_who_moves_a_pointer_back_too_late_is_not_told_of_a_batch(home):
    bring(home)
    bring(home, "item,price\nhat,7\n")
    late = home.run("data", "rollback", "sold", DAY, "--reason", "wrong", "--seen", "1")
    assert late.status == 3
    assert "Nothing was moved. Look at what is current now" in late.err
    assert "your batch" not in late.err


def test_pins_are_taken_and_let_go(home):
    batch = bring(home)["id"]
    until = "2030-01-01"
    told = ask(home, "data", "pin", batch, "--reason", "a paper", "--until", until)
    assert told["expires_at"].startswith("2030-01-01T23:59:59")
    assert ask(home, "data", "show", "sold", DAY)["pins"] == [told]
    assert ask(home, "data", "unpin", batch)["pinned"] is False
    done = home.run("data", "unpin", batch)
    assert done.status == 2
    assert "Nobody holds it." in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "solt", DAY], "Did you mean 'sold'?"),
        (["show", "sold", "2013-01-30"], f"Did you mean '{DAY}'?"),
        (["show", "sold", DAY, "--batch=7"], "has no batch '7'"),
        (["show", "sold", DAY, "--snapshot=x"], "has no snapshot 'x'"),
        (["show", "sold", DAY, "--batch=1", "--snapshot=x"], "exclude each other"),
        (["show", "sold", DAY, "--as-of=soon"], "no date or instant"),
        (["show", "sold", "--batch=1"], "need a PARTITION"),
        (["show", "sold", "2013-*"], "means several partitions"),
        (["export", "sold", DAY, "--json"], "--json needs -o FILE"),
        (["export", "sold", DAY, "-o", "no/such/folder.csv"], "There is no folder"),
        (["rollback", "sold", DAY], "Missing option '--reason'"),
        (["rollback", "sold", DAY, "--reason=x"], "Nothing was current"),
        (["publish", "batch_x"], "There is no batch 'batch_x'"),
        (["import", "missing.csv", "sold", DAY], "does not exist"),
        (["import", "sales.csv", "so ld", DAY], "cannot be the name"),
        (["import", "sales.csv", "sold", "/etc"], "cannot be the name"),
        (["snapshot", "sold", "a b"], "cannot be the name"),
    ],
)
def test_who_errs_is_told_how_it_goes(one_batch, words, said):
    done = one_batch.run("data", *words)
    assert done.status == 2, done.err
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.fixture(scope="module")
def one_batch(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Home:
    """A home with one batch; what tests do here comes to nothing."""
    made = make_home(tmp_path_factory.mktemp("one"), environments)
    bring(made)
    return made


def test_what_a_project_says_does_not_steer_the_terminal(home, tmp_path):
    steering = "\x1b]0;owned\x07\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}\r"
    file = tmp_path / "table.csv"
    file.write_text("item\n1\n")
    home.run("data", "import", file, "sold", DAY, "--reason", f"night{steering}ly")
    file.write_text(f'"a{steering.strip()}b"\n1\n')
    done = home.run("data", "import", file, "sold", DAY, "--reason", "x")
    shown = home.run("data", "log", "sold").out + home.run("data", "show", "sold", DAY).out
    said = done.err + shown
    missing = home.run("data", "show", f"so{steering}ld")
    assert "night" in said
    assert "owned" in missing.err
    for sign in "\x1b\x07\r\N{RIGHT-TO-LEFT OVERRIDE}":
        assert sign not in said + missing.err
