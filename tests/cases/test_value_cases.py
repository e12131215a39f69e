"""Cases 8 to 12: what parameters and inputs do to a key."""

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.factory import create_app
from app.settings import Settings
from pipeline.parameters import ParameterError
from provenance.identity.canonical import UncanonicalError
from provenance.identity.key import Preimage
from provenance.ledger.tables import Run
from tests.cases.packages import environment_of
from tests.cases.project import (
    ALL_REUSED,
    MANIFEST,
    NO_PACKAGES,
    Case,
    said,
    with_parameter,
)
from tests.support.processes import Home, make_home
from tests.support.repository import Files, make_repository, notebook

CaseOf = Callable[[Files], Case]
ROOT = Path(__file__).resolve().parents[2]


def test_case_08_the_values_of_two_parameters_are_swapped(case_of: CaseOf) -> None:
    """Case 8: x=1, y=2 and x=2, y=1 hold the same values, and are not the same."""
    declared = with_parameter("x", "int", "1") + with_parameter("y", "int", "2")
    body = "def build(x, y):\n    return f'{x} then {y}'\n"
    case = case_of({"provenote.toml": MANIFEST + declared, "stages/made.py": body})
    first = case.push()
    swapped = case.push({"provenote.toml": MANIFEST + _swapped(declared)})
    assert said(swapped) == ("executed", "params", "params: x 1 → 2, y 2 → 1")
    assert (case.text(first), case.text(swapped)) == ("1 then 2", "2 then 1")
    assert case.ask(x=1, y=2).jobs["made"].key == first.jobs["made"].key
    assert case.ask(y=1, x=2).statuses == ALL_REUSED


def _swapped(text: str) -> str:
    return text.translate(str.maketrans("12", "21"))


def test_case_09_one_and_one_point_nought_and_the_text_one_are_three_values(
    case_of: CaseOf,
) -> None:
    """Case 9: each type has a key of its own."""
    files = {
        kind: {"provenote.toml": MANIFEST + with_parameter("n", kind, default)}
        for kind, default in {"int": "1", "float": "1", "text": '"1"'}.items()
    }
    case = case_of({**files["int"], "stages/made.py": "def build(n):\n    return repr(n)\n"})
    runs = [case.push(), case.push(files["float"]), case.push(files["text"])]
    assert [case.text(run) for run in runs] == ["1", "1.0", "'1'"]
    assert [run.statuses["made"] for run in runs] == ["executed"] * 3
    assert len({run.jobs["made"].key for run in runs}) == 3
    assert [run.jobs["made"].reason for run in runs[1:]] == ["params", "params"]


def test_case_09_what_a_web_form_calls_1_is_the_whole_number(case_of: CaseOf) -> None:
    """Case 9: a text from a form goes through the schema before anything is hashed."""
    declared = with_parameter("n", "int", "1")
    body = "def build(n):\n    return repr(n)\n"
    case = case_of({"provenote.toml": MANIFEST + declared, "stages/made.py": body})
    first = case.push()
    run = case.bench.execute(send_form(case, n="1"))
    assert run.statuses == ALL_REUSED
    assert run.jobs["made"].key == first.jobs["made"].key
    assert case.text(case.bench.execute(send_form(case, n=" 2 "))) == "2"


def send_form(case: Case, **values: str) -> str:
    """Fill in the form of the report in a browser's way, and return the id of its run."""
    home = case.bench.installation.home
    app = create_app(Settings(home=home, secret_key="of a test", allow_file_repositories=True))
    client, address = app.test_client(), "/projects/cases/reports/told/new"
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(address).text)
    assert token is not None
    fields = {f"param.{name}": value for name, value in values.items()}
    sent = client.post(address, data={"csrf_token": html.unescape(token[1]), **fields})
    assert sent.status_code == 303, sent.text
    app.extensions["provenote"].ledger.close()
    return sent.location.rpartition("/")[2]


PLANNING = """\
import sys
from provenance.identity.key import Preimage
tags = {"sun", "rain", "snow", "hail"}
table = {name: {1, 2, "3", None} for name in tags}
print(hash("sun"))
print(Preimage("python", "made", {}, {"tags": tags, "table": table}, {}, (), {}).key, flush=True)
from app.cli import main
sys.argv = ["provenote", "plan", "told", "--json"]
main()
"""


@pytest.fixture
def home(tmp_path: Path, environments: Path) -> Home:
    environment_of(environments, NO_PACKAGES)  # built here: it may need this process's network
    return make_home(tmp_path, environments)


@dataclass(frozen=True)
class Planned:
    """What one process found: how it hashes a text, and its keys."""

    text_hash: str
    of_sets: str
    of_table: str


def test_case_10_ten_hash_seeds_give_one_key(home: Home, tmp_path: Path) -> None:
    """Case 10: sets and tables as parameters, in ten processes that order them differently."""
    table = "{ sun = 1, rain = 2, snow = 3, hail = { wind = 4, cold = 5 } }"
    files = {
        "provenote.toml": MANIFEST + with_parameter("table", "dict", table),
        "requirements.txt": NO_PACKAGES,
        "stages/made.py": "def build(table):\n    return str(sorted(table))\n",
        "stages/seen.py": "def build(made):\n    return 'seen'\n",
        "reports/told.ipynb": notebook("# Told", "seen = None", "print(seen)"),
    }
    repository = make_repository(tmp_path / "cases", files)
    planned = [plan(home, repository.path, seed) for seed in range(10)]
    assert len({one.text_hash for one in planned}) == 10, "the seeds took effect"
    assert len({one.of_sets for one in planned}) == 1
    assert len({one.of_table for one in planned}) == 1


def plan(home: Home, directory: Path, seed: int) -> Planned:
    """Return what ``provenote plan`` says in a process with this seed of hashes."""
    done = subprocess.run(
        [sys.executable, "-c", PLANNING],
        cwd=directory,
        env={**home.environ(), "PYTHONHASHSEED": str(seed), "PYTHONPATH": os.fspath(ROOT)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    text_hash, of_sets, told = done.stdout.split("\n", 2)
    ((made, *_),) = [one["jobs"] for one in json.loads(told)]
    assert (made["stage"], made["status"]) == ("made", "execute")
    return Planned(text_hash, of_sets, made["key"])


def test_case_11_an_object_that_has_no_canonical_form_is_an_error(case_of: CaseOf) -> None:
    """Case 11: it is named and refused, never left out of a key."""
    declared = with_parameter("table", "dict", "{ at = 07:30:00 }")
    case = case_of({"provenote.toml": MANIFEST + declared})
    evaluated = case.bench(case.repository)
    assert (evaluated.verdict, evaluated.runs) == ("error", [])
    assert evaluated.row.error is not None
    assert (
        "params.table: default: found datetime.time(7, 30) inside" in evaluated.row.error["message"]
    )

    class Colour:
        pass

    for value in (Colour(), {"shade": [Colour()]}, len):
        preimage = Preimage("python", "made", {}, {"colour": value}, {}, (), {})
        with pytest.raises(UncanonicalError, match="colour"):
            preimage.key  # noqa: B018 - reading it is what fails


def test_case_11_nan_is_stable(case_of: CaseOf) -> None:
    """Case 11: as a value of a key it equals itself; as a parameter it is refused."""
    keys = {
        Preimage("python", "made", {}, {"x": value}, {}, (), {}).key
        for value in (float("nan"), float("inf") - float("inf"), -float("nan"))
    }
    assert len(keys) == 1
    assert keys.isdisjoint({Preimage("python", "made", {}, {"x": None}, {}, (), {}).key})

    declared = with_parameter("x", "float", "1.5")
    body = "def build(x):\n    return repr(x)\n"
    case = case_of({"provenote.toml": MANIFEST + declared, "stages/made.py": body})
    for value in ("nan", float("nan")):
        with pytest.raises(ParameterError, match="expected a number"):
            case.bench.ask(case.repository, "told", {"x": value})
    with case.bench.installation.ledger.reading() as session:
        assert session.query(Run).count() == 0


def test_case_12_two_inputs_of_equal_size_are_swapped(case_of: CaseOf) -> None:
    """Case 12: inputs enter by name and content, not as a heap of sizes or hashes."""
    more = """\
[stages.left]
python = "stages.left:build"
[stages.right]
python = "stages.right:build"
"""
    wired = MANIFEST.replace(
        'python = "stages.made:build"',
        'python = "stages.made:build"\ninputs = { a = "left", b = "right" }',
    )
    files = {
        "provenote.toml": wired + more,
        "stages/left.py": "def build():\n    return 'one'\n",
        "stages/right.py": "def build():\n    return 'two'\n",
        "stages/made.py": "def build(a, b):\n    return f'{a.read_text()} {b.read_text()}'\n",
    }
    case = case_of(files)
    first = case.push()
    swapped = case.push(
        {
            "provenote.toml": wired.replace('a = "left", b = "right"', 'a = "right", b = "left"')
            + more
        }
    )
    assert (swapped.statuses["left"], swapped.statuses["right"]) == ("reused", "reused")
    assert said(swapped) == ("executed", "inputs", "inputs: a changed, b changed")
    assert (case.text(first), case.text(swapped)) == ("one two", "two one")
