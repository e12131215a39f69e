"""An environment as programs see it: what the API and ``--json`` tell."""

from collections.abc import Iterable
from typing import Any

from app.web.filters import iso
from provenance.ledger.environment_tables import EnvironmentBuild, KernelProof
from provenance.ledger.queries.environments import EnvironmentFound, EnvironmentPage


def environment_object(found: EnvironmentFound, base: str) -> dict[str, Any]:
    """Return what a list says of an environment; *base* is where the pages are."""
    build = found.build
    address = f"/environments/{found.key}"
    return {
        "key": found.key,
        "source": found.source,
        "state": found.state,
        "python": found.python,
        "platform": found.platform,
        "packages": len(found.packages),
        "size": build.size if build else None,
        "built_at": _iso(build.started_at) if build else None,
        "seconds": build.seconds if build else None,
        "runs": found.runs,
        "last_run_at": _iso(found.last_run),
        "kernels_off": bool(found.kernels_off),
        "links": {"html": f"{base}{address}", "self": f"{base}/api/v1{address}"},
    }


def whole_environment(page: EnvironmentPage, base: str) -> dict[str, Any]:
    """Return all that is known of an environment."""
    return environment_object(page.found, base) | {
        "distributions": page.found.packages,
        "kernels": list(_kernels(page.found.kernels)),
        "builds": list(_builds(page.found.builds)),
        "used_by": [vars(report) for report in page.reports],
    }


def _builds(builds: Iterable[EnvironmentBuild]) -> Iterable[dict[str, Any]]:
    for build in builds:
        yield {
            "id": build.id,
            "state": build.state,
            "host": build.host,
            "run": build.run_id,
            "started_at": _iso(build.started_at),
            "finished_at": _iso(build.finished_at),
            "collected_at": _iso(build.collected_at),
            "seconds": build.seconds,
            "size": build.size,
            "log": build.log,
            "error": build.error,
        }


def _kernels(proofs: Iterable[KernelProof]) -> Iterable[dict[str, Any]]:
    for proof in proofs:
        yield {
            "modules": proof.modules,
            "runs": proof.runs,
            "proved": proof.proved,
            "outcome": proof.outcome,
            "at": _iso(proof.at),
            "run": proof.run_id,
            "difference": proof.told,
            "off_since": _iso(proof.off_at),
            "trusted_at": _iso(proof.trusted_at),
            "trusted_by": proof.trusted_by,
        }


def _iso(at: Any) -> str | None:
    return iso(at) or None
