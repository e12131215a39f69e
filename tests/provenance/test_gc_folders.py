"""Clearing away: checkouts, environments and locks that nobody uses."""

import fcntl
import os
import time
from pathlib import Path

from provenance.files import mark_used
from provenance.gc import Collector, Keep
from provenance.ledger.columns import utc_now
from provenance.ledger.states import Status
from provenance.sweep import Place
from tests.support.house import LONG_AGO, House, gone


def test_a_lock_goes_that_nobody_holds(house: House) -> None:
    house.commit(1, b"x")
    locks = house.store.root / "locks"
    locks.mkdir(exist_ok=True)
    for name in ("held", "free"):
        (locks / name).touch()
        os.utime(locks / name, (LONG_AGO, LONG_AGO))
    with (locks / "held").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert gone(house.clear(), "lock") == {"free"}
    assert [path.name for path in locks.iterdir()] == ["held"]


def test_a_folder_that_nobody_used_for_long_goes_however_it_is_protected(
    house: House, tmp_path: Path
) -> None:
    old, new = (tmp_path / "checkouts" / "project" / name for name in ("old", "new"))
    for folder in (old, new):
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "file").write_bytes(b"x" * 10)
        for path in (folder / "deep" / "file", folder / "deep", folder):
            path.chmod(0o555)
    place = Place("checkout", tmp_path / "checkouts", 2)
    (tmp_path / "link").symlink_to(tmp_path / "checkouts")
    link = Place("checkout", tmp_path / "link", 2)
    assert house.clear(Keep(grace=0, days=0, places=(link,))).garbage == [], "it may be others'"
    assert house.clear(Keep(places=(place,))).garbage == [], "both were made just now"
    done = house.clear(Keep(grace=0, days=0, places=(place,)))
    assert gone(done, "checkout") == {"old", "new"}
    assert sum(one.size for one in done.garbage) == 20
    assert list((tmp_path / "checkouts" / "project").iterdir()) == []


def test_a_folder_that_was_used_lately_stays_whatever_its_own_times_say(
    house: House, tmp_path: Path
) -> None:
    """Looked at or not, in ever so many ways: only who uses a folder keeps it."""
    used, old = (tmp_path / "checkouts" / "project" / name for name in ("used", "old"))
    for folder in (used, old):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x")
        mark_used(folder)
        for path in (folder / "file", folder, folder.with_name(f"{folder.name}.used")):
            os.utime(path, (time.time(), LONG_AGO))
        folder.chmod(0o555)
    keep = Keep(places=(Place("checkout", tmp_path / "checkouts", 2),))
    before = used.stat()
    mark_used(used)
    assert (used.stat().st_mtime_ns, used.stat().st_ctime_ns) == (
        before.st_mtime_ns,
        before.st_ctime_ns,
    ), "code that runs in it is watched for what changes"
    for _ in range(2):
        assert gone(house.look(keep), "checkout") == {"old"}, "looking is no use"
    assert gone(house.clear(keep), "checkout") == {"old"}
    names = sorted(path.name for path in (tmp_path / "checkouts" / "project").iterdir())
    assert names == ["used", "used.used"]


def test_a_folder_that_is_used_between_our_look_and_its_turn_stays(
    house: House, tmp_path: Path
) -> None:
    folder = tmp_path / "environments" / "one"
    folder.mkdir(parents=True)
    os.utime(folder, (LONG_AGO, LONG_AGO))
    keep = Keep(places=(Place("environment", tmp_path / "environments", 1),))
    collector = Collector(house.store, house.ledger, keep)

    def meanwhile() -> bool:
        mark_used(folder)
        return False

    collector._is_busy = meanwhile  # type: ignore[method-assign]
    assert collector.clear().garbage == []
    assert folder.is_dir()


def test_work_that_begins_while_we_clear_keeps_its_folders(house: House, tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / "environments" / name).mkdir(parents=True)
    places = (Place("environment", tmp_path / "environments", 1),)
    collector = Collector(house.store, house.ledger, Keep(grace=0, days=0, places=places))
    house.run(status=Status.RUNNING, started_at=utc_now())
    assert gone(collector.clear(), "environment") == set()
    assert len(list((tmp_path / "environments").iterdir())) == 2
