"""The commands of the guide to data, typed as it shows them."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import PROVENOTE, Home, make_home

SALES = "item,price\nhat,2\ncap,3\n"
DAY = "2013-01-31"
GUIDE = Path(__file__).parents[3] / "docs" / "data.md"


@pytest.fixture
def home(tmp_path: Path, environments: Path) -> Iterator[Home]:
    made = make_home(tmp_path, environments)
    (tmp_path / "sales.csv").write_text(SALES)
    yield made
    made.kill()


def guide(language: str) -> str:
    """Return the program in *language* that the guide shows."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)[0]


def run_by(home: Home, *command: str) -> str:
    environment = home.environ() | {"PATH": f"{PROVENOTE.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        env=environment,
        cwd=home.path.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="apt-get install r-base-core")
def test_r_reads_a_batch_as_the_guide_shows(home):
    home.run("data", "import", "sales.csv", "sold_items", DAY)
    assert run_by(home, "Rscript", "-e", guide("r")).strip() == "2 rows, 5 in all"


@pytest.mark.skipif(shutil.which("octave-cli") is None, reason="apt-get install octave")
def test_octave_reads_a_batch_as_the_guide_shows(home):
    home.run("data", "import", "sales.csv", "sold_items", DAY)
    assert run_by(home, "octave-cli", "--eval", guide("octave")).strip() == "2 rows, 5 in all"


def test_the_first_steps_of_the_guide_go_as_they_are_told(home):
    folder = home.path.parent
    (folder / "corrected.csv").write_text("item,price\nhat,4\n")
    (folder / "model.pkl").write_bytes(b"one")
    first, models = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    out = run_by(home, "sh", "-ec", first)
    assert '"hat",2' in out
    twice = models.replace(
        "provenote models show",
        "echo two > model.pkl\nprovenote models save model.pkl delay\nprovenote models show",
        1,
    )
    run_by(home, "sh", "-ec", twice)
    assert json.loads(home.run("models", "ls", "--json").out)["items"][0]["latest"] == 2
    assert (folder / "delay-1.zip").exists()
