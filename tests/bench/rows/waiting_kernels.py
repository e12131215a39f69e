"""What a kernel costs in memory that was forked beforehand and waits for its report."""

import time
from collections.abc import Iterator

from tests.bench.figures import BYTES, Figure, Goal, Table
from tests.bench.memory import hosts, private_bytes, private_bytes_each, waiting_kernels
from tests.bench.place import Place
from tests.bench.service import Service, serving
from tests.bench.small_report import REPORT

_LARGEST, _PATIENCE_SECONDS, _SETTLE_SECONDS, _LOOKS = 25e6, 10.0, 1.0, 5
_WORDS = (
    "Pages that no other process shares (`Private_*` of `smaps_rollup`), of kernels that wait "
    "after a report was made; a supervisor between counts as its kernel's."
)


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the table."""
    with serving(place.new("memory"), place.environments, place.project) as service:
        service.client().asked_and_passed(REPORT, {})
        if not _appear(service):
            place.leave_out("waiting kernels", f"none is waiting after {_PATIENCE_SECONDS:.0f} s")
            return
        each, whole = [], []
        for _ in range(_LOOKS):
            time.sleep(_SETTLE_SECONDS)
            each += private_bytes_each(service.process.pid)
            whole += [float(private_bytes(one)) for one in hosts(service.process.pid)]
    ours = Figure.of("a waiting kernel, private pages", each, BYTES)
    host = Figure.of("the host that they were forked from", whole, BYTES)
    goal = Goal("memory of a waiting kernel", ours.median, _LARGEST, BYTES)
    yield Table("j", "Kernels that wait", (ours, host), (goal,), _WORDS)


def _appear(service: Service) -> bool:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if waiting_kernels(service.process.pid):
            return True
        time.sleep(0.2)
    return False
