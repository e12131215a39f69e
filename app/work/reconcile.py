"""Bringing the ledger and this machine back into agreement after something was killed."""

import structlog

from app.work.owner import is_alive
from pipeline.host import this_host
from pipeline.installation import Installation
from pipeline.kernels.hosts import KERNELS, sweep_places
from pipeline.processes import end_tree, marked_processes
from pipeline.proof_place import PROOF, prover_of, prover_of_folder, remove_folder
from pipeline.workplace import Workplace
from provenance.ledger.claims import expired, give_back, owners
from provenance.ledger.tables import Evaluation, Run

_log = structlog.get_logger()


def take_back(installation: Installation) -> None:
    """Return to the queue what is held by a worker that is gone.

    On this host a dead process is known as such at once; elsewhere its lease has to end.
    """
    ledger = installation.ledger
    for table in (Evaluation, Run):
        with ledger.reading() as session:
            lost: dict[str, str | None] = dict.fromkeys(expired(session, table))
            held = owners(session, table, this_host())
        lost |= {row_id: owner for row_id, owner in held.items() if not is_alive(owner)}
        for row_id, owner in lost.items():
            with ledger.writing() as session:
                status = give_back(session, table, row_id, owner)
            _log.warning("worker lost", work=row_id, status=str(status))


def _is_live(what: str, attempts: set[str]) -> bool:
    """Tell whether a process belongs to an attempt that goes on, or to a worker that lives."""
    kind, _, rest = what.partition(":")
    if kind == PROOF:
        return is_alive(prover_of(rest))
    return is_alive(rest) if kind == KERNELS else what.replace(":", "-") in attempts


def sweep(installation: Installation) -> None:
    """End processes and remove directories of attempts that nobody holds any more."""
    prefix = f"{installation.home}:"
    # What is there is listed first, and the ledger asked afterwards: an attempt that begins
    # in between is not on the list, one that is on the list was claimed before.
    sweep_places()
    processes = marked_processes(prefix)
    directories = list(installation.work.glob("*"))
    with installation.ledger.reading() as session:
        held = owners(session, Run, this_host())
        live = {f"{row}-{session.get_one(Run, row).attempt}" for row in held}
    for pid, marker in processes.items():
        if not _is_live(marker.removeprefix(prefix), live):
            _log.warning("orphan ended", pid=pid, attempt=marker.removeprefix(prefix))
            end_tree(pid)
    for directory in directories:
        if (process := prover_of_folder(directory)) is not None:
            owner = f"{this_host()}/{process}"
            if not is_alive(owner):
                remove_folder(directory, installation, owner)
        elif directory.name not in live:
            run_id, _, attempt = directory.name.rpartition("-")
            Workplace(directory, f"{prefix}{run_id}:{attempt}").remove()
