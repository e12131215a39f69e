"""A forked kernel shows what one that was started afresh shows, and what papermill's own does."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.pipeline.kernels.everyday import CELLS, CONTAINED, PARAMETERS
from tests.support.kernels import COLD, PAPERMILL, WARM, Executed, Kitchen, cells

NOTEBOOK = cells(*CELLS)
NOTEBOOK[0]["metadata"] = {"tags": ["parameters"]}
NUMBERS = range(1, len(CELLS))


@pytest.fixture(scope="module")
def shown(kitchen: Kitchen) -> dict[str, Executed]:
    """The same notebook, executed in each way."""

    def execute(way: str) -> Executed:
        return kitchen.execute(NOTEBOOK, way, parameters=PARAMETERS)

    with ThreadPoolExecutor(1) as executor:  # papermill is a process of its own
        beside = executor.submit(execute, PAPERMILL)
        return {WARM: execute(WARM), COLD: execute(COLD), PAPERMILL: beside.result()}


def source(executed: Executed, number: int) -> str:
    # Papermill has put a cell with the parameters behind the one that is tagged.
    return "".join(executed.cells[number + 1]["source"])


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("other", [COLD, PAPERMILL])
def test_a_cell_shows_the_same_whichever_kernel_executes_it(
    shown: dict[str, Executed], other: str, number: int
) -> None:
    expected = NOTEBOOK[number]["source"]
    assert source(shown[WARM], number) == source(shown[other], number) == expected
    assert shown[WARM].told[number + 1] == shown[other].told[number + 1]


def test_what_is_compared_is_there(shown: dict[str, Executed]) -> None:
    told = shown[WARM].told
    assert sum(bool(outputs) for outputs in told) >= len(NUMBERS) - 4
    names = [output.get("ename") for outputs in told for output in outputs]
    expected = {"ZeroDivisionError", "SystemExit", "KeyboardInterrupt", "RuntimeError"}
    expected |= {"SyntaxError", "ModuleNotFoundError", "StdinNotImplementedError"}
    assert expected <= set(names)
    figures = [o for outputs in told for o in outputs if "image/png" in o.get("data", {})]
    assert len(figures) == 3


def test_around_it_are_the_same_environment_limits_threads_and_files(kitchen: Kitchen) -> None:
    warm, cold = (inside(kitchen, way) for way in (WARM, COLD))
    for found, way in ((warm, WARM), (cold, COLD)):
        assert found["environment"].pop("PROVENOTE_ATTEMPT").endswith(way)
    # Through this one the supervisor hears why a kernel could not be started.
    warm["files"]["pipe"] -= 1
    assert warm == cold
    assert warm["environment"]["MPLBACKEND"] == "module://matplotlib_inline.backend_inline"
    assert warm["leads a session"] is True


def inside(kitchen: Kitchen, way: str) -> dict[str, Any]:
    found: dict[str, Any] = kitchen.execute(cells(CONTAINED), way).values
    for name in ("HOME", "TMPDIR", "IPYTHONDIR"):
        path = found["environment"].pop(name)
        assert f"-{way}/" in path, f"{name} is {path}"
    return found
