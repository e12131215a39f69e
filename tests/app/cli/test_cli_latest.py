"""What ``latest`` means where one stands, and what ``run`` says at its end."""

from pathlib import Path

from tests.app.cli.conftest import Desk
from tests.support.repository import make_repository
from tests.support.tides import FILES, MANIFEST, STAGE


def test_latest_is_of_the_project_that_one_stands_in(used_desk: Desk, tmp_path: Path) -> None:
    shown = used_desk("show", "latest")
    assert (shown.status, shown.err) == (0, "")
    assert "tides / quick  passed" in shown.out

    outside = used_desk.home.run("explain", "latest", cwd=tmp_path)
    assert outside.status == 0, outside.err
    assert outside.err.startswith("latest is run_")
    assert outside.err.endswith(" of tides / quick.\n")

    other = make_repository(
        tmp_path / "other", FILES | {"provenote.toml": MANIFEST.replace('"tides"', '"ponds"')}
    )
    for command in (["explain"], ["show"], ["reproduce"], ["export", "--format", "prov-json"]):
        done = used_desk.home.run(*command, "latest", cwd=other.path)
        assert (done.status, done.out) == (2, "")
        assert "No run of project 'ponds' has finished yet.\n`provenote run`" in done.err


def test_a_run_ends_with_its_id_and_says_what_was_executed(desk: Desk) -> None:
    first = desk("run", "quick", "--as-of", "2030-01-01")
    assert "The instant asked for governs nothing of this run" in first.err
    run = desk.json("show", "latest")["id"]
    assert f" s  {run}\n" in first.err
    desk.repository.write({"stages/count.py": STAGE.replace("n == 13", "n == 14")})
    second = desk("run", "quick")
    assert "✓ passed  quick  report reused; stages executed: count  run_" in second.err
    third = desk("run", "quick")
    assert "✓ passed  quick  reused, nothing has changed  run_" in third.err
    assert "governs" not in third.err
