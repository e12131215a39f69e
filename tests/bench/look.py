"""``python -m tests.bench.look PROJECT TIMES``: seconds of looks at a project that is up to date.

Prints a JSON list. Everything is settled before the clock starts: each figure is that of
``foresee`` alone. The first look has nothing in memory, the others what the first left there.
"""

import json
import os
import sys
import time
from pathlib import Path

from app.cli.local import open_local, wanted_cases
from pipeline.environments import environment_for, lock_of
from pipeline.foresight import foresee
from pipeline.situation import settle


def main() -> None:
    """Look, and print the seconds."""
    os.chdir(Path(sys.argv[1]))
    local = open_local(None, only_look=True)
    case = wanted_cases(local, None, ())[0]
    lock = lock_of(local.checkout.tree, local.manifest.environment.from_)
    environment = environment_for(local.installation.environments, lock)
    checkouts = local.installation.checkouts
    situation = settle(local.checkout, local.manifest, environment, case, checkouts)
    seconds = []
    for _ in range(int(sys.argv[2])):
        began = time.perf_counter()
        steps = foresee(local.installation, situation, local.project_id, case.case_key)
        seconds.append(time.perf_counter() - began)
        if changed := [step.name for step in steps if step.status != "reused"]:
            raise SystemExit(f"Not up to date: {', '.join(changed[:3])}.")
    print(json.dumps(seconds))


main()
