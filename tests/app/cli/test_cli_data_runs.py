"""At a terminal: runs read datasets of the local installation, and publish to them."""

import hashlib
import json
import time
from pathlib import Path

import pytest

from tests.app.cli.conftest import Desk
from tests.pipeline.shop import PROJECT, SOLD
from tests.support.processes import Home
from tests.support.repository import make_repository

DAY = "2013-01-31"


@pytest.fixture
def desk(home: Home, tmp_path: Path) -> Desk:
    return Desk(home, make_repository(tmp_path / "shop", PROJECT))


def bring(desk: Desk, text: str) -> str:
    path = desk.home.path.parent / "sold.txt"
    path.write_text(text)
    batch: str = desk.json("data", "import", str(path), "sold_items", DAY)["id"]
    return batch


def test_a_run_reads_what_was_imported_and_as_of_a_moment_what_was_so_then(desk: Desk) -> None:
    missing = desk.json("run", "first", status=3)
    assert missing["error"]["kind"] == "unknown_dataset"
    old = bring(desk, "2 pears")
    run = desk.json("run", "first")
    [found] = run["inputs"]
    assert (found["batch"], found["producer"], run["as_of"]) == (
        old,
        f"dataset:sold_items/{DAY}",
        None,
    )
    laid = desk.repository.path / ".provenote" / "inputs" / "first" / "sold.txt"
    assert laid.read_text() == "2 pears"
    then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    time.sleep(1.5)
    new = bring(desk, "3 pears")
    [planned] = [plan["jobs"] for plan in desk.json("plan", "first")]
    assert planned[0]["sentence"].endswith(f"sold is sold_items/{DAY} batch 2, was 1")
    [planned] = [plan["jobs"] for plan in desk.json("plan", "first", "--as-of", then)]
    assert planned[0]["status"] == "reused"
    past = desk.json("run", "first", "--as-of", then)
    assert (past["inputs"][0]["batch"], past["reused"]) == (old, True)
    assert past["as_of"].startswith(then[:-1])
    assert desk.json("run", "first")["inputs"][0]["batch"] == new
    assert "governs nothing" not in desk("run", "first", "--as-of", then).err
    refused = desk("run", "first", "--as-of", "soon")
    assert (refused.status, "'soon' is no date or instant." in refused.err) == (2, True)


def test_uncommitted_work_is_published_only_when_asked_for(desk: Desk) -> None:
    desk.repository.write({"stages/sold.py": SOLD.replace("apples", "plums")})
    done = desk("run", "close", "--json")
    assert "the working tree has uncommitted changes" in done.json["jobs"][0]["sentence"]
    title = f"  sold_items/{DAY} batch 1"
    assert f"\n{title} is kept unpublished: the working tree has" in done.err
    assert desk("data", "path", "sold_items", DAY).status != 0
    done = desk("run", "close", "--publish", "--json")
    assert f"  published{title[1:]}\n" in done.err
    run = done.json
    assert run["jobs"][0]["sentence"].endswith(f"published sold_items/{DAY} batch 1")
    path = desk.json("data", "path", "sold_items", DAY)["path"]
    assert Path(path).read_text() == f"{DAY}: 3 plums"
    both = desk("run", "close", "--publish", "--as-of", "2013-01-01")
    assert (both.status, "exclude each other" in both.err) == (2, True)


def test_a_page_that_was_only_rendered_anew_is_laid_too(desk: Desk) -> None:
    bring(desk, "2 pears")
    desk.json("run", "first")
    page = desk.repository.path / ".provenote" / "reports" / "first" / "default.html"
    template = desk.repository.path / "reports" / "read.ipynb"
    template.write_text(template.read_text().replace("What was sold", "What we sold"))
    assert desk.json("run", "first")["reused"]
    assert "What we sold" in page.read_text()
    told = json.loads(page.with_name("default.html.prov.json").read_text())
    assert told["output"]["sha256"] == hashlib.sha256(page.read_bytes()).hexdigest()
