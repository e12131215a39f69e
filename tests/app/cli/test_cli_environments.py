"""``provenote environments``, and that `provenote gc` takes those that nobody uses."""

import os

from provenance.ledger.engine import Ledger
from provenance.ledger.kernel_proofs import DIFFERS, WarmKernels, note_proof
from tests.app.cli.conftest import Desk


def test_the_environment_of_a_run_is_listed_and_shown(used_desk: Desk) -> None:
    (listed,) = used_desk.json("environments")["items"]
    assert (listed["source"], listed["state"], listed["runs"]) == ("default", "ready", 1)
    shown = used_desk.json("environments", listed["key"][:12])
    assert "pandas" in shown["distributions"]
    assert [one["report"] for one in shown["used_by"]] == ["quick"]
    told = used_desk("environments")
    assert listed["key"][:12] in told.out
    told = used_desk("environments", listed["key"][:12])
    assert f"pandas  {shown['distributions']['pandas']}" in told.out
    assert "used by tides / quick" in told.out
    log = used_desk("environments", listed["key"][:12], "--log")
    assert "── Ready: " in log.out


def test_what_is_wrong_with_a_key_is_told(used_desk: Desk) -> None:
    error = used_desk.json("environments", "f" * 20, status=2)["error"]
    assert error["code"] == "unknown_environment"
    assert used_desk("environments", "--log").status == 2


def test_an_environment_that_nobody_used_for_long_can_go(desk: Desk) -> None:
    assert desk.json("environments") == {"items": []}
    home = desk.home.path / "environments"
    home.unlink()  # the folder that tests share is nobody's to clear
    old = home / ("a" * 24)
    old.mkdir(parents=True)
    (old / "provenote-facts.json").write_text("{}")
    old.with_name(f"{old.name}.used").touch()
    for path in (old, old.with_name(f"{old.name}.used")):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert desk.json("gc", "--environment-days", "100000")["items"] == []
    (item,) = desk.json("gc")["items"]
    assert (item["kind"], item["why"]) == ("environment", "not used for long")
    assert old.is_dir()
    desk.json("gc", "--delete")
    assert not old.exists()


def test_warm_kernels_that_are_off_are_told_and_trusted_again(used_desk: Desk) -> None:
    (listed,) = used_desk.json("environments")["items"]
    key = listed["key"]
    ledger = Ledger(f"sqlite:///{used_desk.home.path / 'ledger.sqlite'}")
    with ledger.writing() as session:
        kernels, said = WarmKernels(key, ("pandas",)), "In cell 3, this is not that."
        note_proof(session, kernels, "run_x", DIFFERS, {"sentence": said, "findings": []})
    ledger.close()
    assert "warm kernels off" in used_desk("environments").out
    told = used_desk("environments", key[:12])
    assert "off since run run_x" in told.out
    assert said in told.out
    assert f"provenote environments {key[:12]} --trust" in told.out
    assert used_desk("environments", "--trust").status == 2
    told = used_desk("environments", key[:12], "--trust")
    assert "Warm kernels are used again" in told.out
    assert "off since" not in told.out
    assert "were not off" in used_desk("environments", key[:12], "--trust").out
    (kernels,) = used_desk.json("environments", key)["kernels"]
    assert (kernels["off_since"], kernels["outcome"]) == (None, "differs")
