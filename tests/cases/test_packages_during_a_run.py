"""A package that is replaced while a job runs: nobody knows which of the two it stands on."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pipeline.isolation import IsolationWanted
from tests.cases.packages import environment_of, install, wheel
from tests.cases.project import ALL_REUSED, Case
from tests.support.evaluations import Bench, Told
from tests.support.repository import Files, notebook

CaseOf = Callable[[Files], Case]
REQUIREMENTS = "# packages are replaced here while code runs\n"
SWAP = """\
import pathlib, shutil
import tidewater

def swap(gate):
    level, gate = tidewater.LEVEL, pathlib.Path(gate)
    if gate.exists():
        gate.unlink()
        site = pathlib.Path(tidewater.__file__).parent
        (old,) = site.glob('tidewater-*.dist-info')
        new = site / f'tidewater-{level + 1}.0.dist-info'
        new.mkdir()
        metadata = f'Metadata-Version: 2.1\\nName: tidewater\\nVersion: {level + 1}.0\\n'
        (new / 'METADATA').write_text(metadata)
        (new / 'RECORD').write_text(f'tidewater.py,sha256={level + 1},10\\n')
        (site / 'tidewater.py').write_text(f'LEVEL = {level + 1}\\n')
        shutil.rmtree(old)
    return f'tide {level}'
"""


def test_a_result_whose_package_was_replaced_meanwhile_is_tainted(
    bench: Bench, case_of: CaseOf, environments: Path, tmp_path: Path
) -> None:
    # Isolated code cannot write there at all; somebody else still can while it runs.
    bench.installation = replace(bench.installation, isolation=IsolationWanted(mode="none"))
    environment = environment_of(environments, REQUIREMENTS)
    install(environment, wheel(tmp_path, "tidewater", 1), wheel(tmp_path, "driftwood", 1))
    gates = {name: tmp_path / f"{name}.gate" for name in ("made", "report")}
    cell = f"{SWAP}\nprint(swap({str(gates['report'])!r}), open(seen).read())"
    case = case_of(
        {
            "requirements.txt": REQUIREMENTS,
            "stages/made.py": f"{SWAP}\ndef build():\n    return swap({str(gates['made'])!r})\n",
            "reports/told.ipynb": notebook("# Told", "seen = None", cell),
        }
    )

    def tainted(run: Told, stage: str) -> bool:
        return "tainted" in case.record(run, stage)["run"]

    gates["made"].touch()
    during = case.push()
    assert during.verdict == "passed", during.row.error
    assert (case.text(during), tainted(during, "made")) == ("tide 1", True)
    assert not tainted(during, "seen"), "it imports nothing of it"

    gates["report"].touch()
    after = case.ask()
    assert after.statuses == {"made": "executed", "seen": "executed", "report": "executed"}
    assert (case.text(after), tainted(after, "made")) == ("tide 2", False)
    assert tainted(after, "report")

    once_more = case.ask()
    assert (once_more.statuses["made"], once_more.statuses["report"]) == ("executed", "executed")
    assert not tainted(once_more, "report")
    assert case.ask().statuses == ALL_REUSED
