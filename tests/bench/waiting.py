"""Waiting for work that a service was given."""

import time

from tests.bench.runs import instant
from tests.bench.service import ENDED, PROJECT, Client

_POLL_SECONDS = 0.1
_PAGE = 100


def wait_for_all(client: Client, number: int, seconds: float) -> list[dict[str, object]]:
    """Wait until the newest *number* runs have ended, and return their objects, newest first.

    Leaves the bench where one did not pass, or where it takes longer than *seconds*.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        # One run's state is cheap to ask for: the service should work, not answer.
        left = [one for status in ("queued", "running") for one in _some(client, status)]
        if not left:
            break
        time.sleep(_POLL_SECONDS)
    else:
        raise SystemExit(f"{number} runs were not finished within {seconds:.0f} s.")
    runs = newest(client, number)
    bad = [run for run in runs if run["status"] not in ENDED or run["verdict"] != "passed"]
    if bad:
        raise SystemExit(f"{len(bad)} runs did not pass, the first of them: {bad[0]}")
    return runs


def newest(client: Client, number: int) -> list[dict[str, object]]:
    """Return the newest *number* runs, newest first."""
    found: list[dict[str, object]] = []
    cursor = ""
    while len(found) < number:
        path = f"/runs?project={PROJECT}&limit={min(_PAGE, number - len(found))}{cursor}"
        page = client.api("GET", path).json
        found += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    return found


def seconds_of_all(runs: list[dict[str, object]]) -> float:
    """Return the seconds from the first acceptance to the last end."""
    first = min(instant(str(run["created_at"])) for run in runs)
    return (max(instant(str(run["finished_at"])) for run in runs) - first).total_seconds()


def _some(client: Client, status: str) -> list[object]:
    found: list[object] = client.api("GET", f"/runs?status={status}&limit=1").json["items"]
    return found
