"""Where a run that is published is executed once more: apart from attempts, which are over."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.installation import Installation
from pipeline.processes import end_tree, marked_processes
from pipeline.workplace import Workplace
from provenance.ledger.claims import Claim

PROOF = "proof"
"""Begins the names of directories of proofs, and marks their processes, in the place where those
of attempts have the id of their run."""


class ProofPlace:
    """The private directory of one proof, which lives as long as the worker that proves."""

    def __init__(self, installation: Installation, claim: Claim) -> None:
        # A worker's name is its host, its pid, and when it started; the directory is a host's own.
        _, _, process = claim.owner.partition("/")
        attempt = f"{claim.id}-{claim.attempt}"
        folder = f"{PROOF}-{process.replace('/', '-')}-{attempt}"
        # Below it a name like that of an attempt: it is part of paths that cells may print.
        self._folder = installation.work / folder
        self.root = self._folder / attempt
        self.marker = f"{installation.home}:{PROOF}:{claim.owner}:{attempt}"
        self._made = 0

    def workplace(self, name: str) -> Workplace:
        """Make a directory for one execution; *name* as the attempt called its own."""
        place = Workplace(self.root / f"{self._made:02}-{name}", self.marker)
        self._made += 1
        place.make()
        return place

    def remove(self) -> None:
        """End what outlived its runner, and remove the directory with all in it."""
        for pid, marker in marked_processes(self.marker).items():
            if marker == self.marker:
                end_tree(pid)
        Workplace(self.root, self.marker).remove()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def proving(installation: Installation, claim: Claim) -> Iterator[ProofPlace]:
    """Give a place to execute a run once more; what is made there is thrown away."""
    place = ProofPlace(installation, claim)
    place.root.mkdir(parents=True, mode=0o700)
    try:
        yield place
    finally:
        place.remove()


def prover_of(marked: str) -> str:
    """Return which worker proves, of what stands behind ``proof:`` in a process's marker."""
    return marked.rpartition(":")[0]


def prover_of_folder(folder: Path) -> str | None:
    """Return which worker proves in *folder*, without its host; None for another's folder."""
    kind, *process = folder.name.split("-")[:3]
    return "/".join(process) if kind == PROOF else None


def remove_folder(folder: Path, installation: Installation, owner: str) -> None:
    """Remove the directory of a proof whose worker *owner* is gone, and its sockets."""
    for root in folder.glob("*"):
        marker = f"{installation.home}:{PROOF}:{owner}:{root.name}"
        Workplace(root, marker).remove()
    shutil.rmtree(folder, ignore_errors=True)
