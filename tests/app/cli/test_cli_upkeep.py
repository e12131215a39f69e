"""``provenote gc`` and ``provenote verify``: what they print, do and return."""

import json
import os
from pathlib import Path

from app.settings import Settings
from app.store import open_store
from provenance.store import Store
from tests.app.cli.conftest import Desk
from tests.support.processes import Home

LONG_AGO = 1_000_000_000


def test_an_archive_is_shown_cleared_and_verified(desk: Desk) -> None:
    run = desk.json("run", "quick")
    store = Store(desk.home.path / "store")
    orphan = store.put_bytes(b"orphan").sha256
    young = desk.json("gc")
    assert (young["deleted"], young["items"]) == (False, [])
    os.utime(store.path(orphan), (LONG_AGO, LONG_AGO))
    told = desk("gc")
    assert told.status == 0
    assert "1 things can go, 6 B: `provenote gc --delete`." in told.out
    assert store.has(orphan), "without --delete it is only shown"
    done = desk.json("gc", "--delete")
    assert done["totals"] == {"object": {"count": 1, "bytes": 6}}
    assert not store.has(orphan)
    clean = desk.json("verify")
    assert clean["clean"]
    assert clean["checked"]["actions"] == len(run["jobs"])
    desk("gc", "--delete", "--grace", "0", "--keep-days", "0")
    assert desk.json("verify")["problems"] == []
    again = desk.json("run", "quick")
    assert again["verdict"] == "passed"


def test_a_name_that_would_steer_the_terminal_is_only_shown(desk: Desk) -> None:
    assert desk("run", "quick").status == 0
    left = desk.home.path / "store" / "incoming" / "a\x1b[2J\u202eb\nc"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"half")
    os.utime(left, (LONG_AGO, LONG_AGO))
    done = desk("gc")
    assert done.status == 0, done.err
    (line,) = [line for line in done.out.splitlines() if "its writer is gone" in line]
    assert "a\N{REPLACEMENT CHARACTER}[2J" in line
    assert not {"\x1b", "\u202e"} & set(done.out)


def test_clearing_away_tells_kinds_and_each_thing_only_when_asked(home: Home) -> None:
    store = Store(home.path / "store")
    for text in (b"one", b"two"):
        for word in ([], ["-v"]):
            orphan = store.put_bytes(text + bytes(len(word))).sha256
            os.utime(store.path(orphan), (LONG_AGO, LONG_AGO))
            done = home.run("gc", "--delete", *word)
            assert done.status == 0, done.err
            assert done.out.startswith("object "), done.out
            assert (orphan in done.out) is bool(word)


def test_a_page_and_its_sidecar_are_verified_and_a_broken_archive_is_told(desk: Desk) -> None:
    run = desk.json("run", "quick")
    (page,) = desk.repository.path.glob(".provenote/reports/quick/*.html")
    fine = desk("verify", str(page))
    assert (fine.status, "All is as it was written." in fine.out) == (0, True), fine.out
    everything = desk.json("verify", ".provenote")
    assert everything["checked"]["files"] >= 1
    told = page.with_name(page.name + ".prov.json")
    body = json.loads(told.read_text())
    body["run"]["host"] = "elsewhere"
    told.chmod(0o644)
    told.write_text(json.dumps(body))
    (found,) = desk.json("verify", str(page), status=1)["problems"]
    assert "edited: run.host." in found["message"]
    object_path = Store(desk.home.path / "store").path(run["record"])
    object_path.chmod(0o644)
    object_path.write_bytes(b"{}")
    broken = desk("verify")
    assert (broken.status, "corrupt" in broken.out or "SHA-256" in broken.out) == (1, True)
    assert object_path.exists()
    assert desk("verify", "--repair").status == 1
    assert not object_path.exists()


def test_wrong_use_is_told(home: Home, tmp_path: Path) -> None:
    nothing = home.run("verify", "--json", cwd=tmp_path, HOME=str(tmp_path / "nowhere"))
    assert nothing.status == 2
    assert "There is no archive" in nothing.json["error"]["message"]
    assert home.run("verify", "missing.csv", cwd=tmp_path).status == 2
    assert home.run("verify", "x", "--repair", cwd=tmp_path).status == 2
    assert home.run("gc", "--grace", "-1", cwd=tmp_path).status == 2


def test_a_bucket_is_opened_with_what_the_environment_says(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, store_url="s3://archive/provenote")
    environ = {
        "AWS_ACCESS_KEY_ID": "one",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
        "AWS_PROFILE": "not for us",
    }
    store = open_store(settings, environ)
    assert store.root == tmp_path / "copies"
    assert getattr(store.shelf, "url", None) == "s3://archive/provenote"
    assert getattr(store.shelf, "options", None) == {
        "access_key_id": "one",
        "region": "eu-central-1",
        "endpoint": "http://127.0.0.1:9000",
    }
    assert "one" not in repr(store.shelf), "credentials are not shown"
