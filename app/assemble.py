"""From settings to an installation: the edge where the environment is read."""

from dataclasses import fields

from app.settings import Settings
from app.source_urls import read_source_urls
from app.store import open_store
from pipeline.installation import Installation, Limits, SourceUrls
from pipeline.isolation import IsolationWanted
from provenance.ledger.engine import Ledger
from provenance.ledger.migrate import require_current, upgrade


def assemble(settings: Settings, *, sources: bool = False) -> Installation:
    """Return the installation of *settings*; nothing is connected or read yet.

    The addresses of *sources* are secrets of those who execute; no page needs them.
    """
    return Installation(
        home=settings.home,
        ledger=Ledger(settings.ledger_url),
        store=open_store(settings),
        base_url=settings.base_url,
        source_urls=SourceUrls(read_source_urls(settings.home) if sources else {}),
        limits=Limits(**{field.name: getattr(settings, field.name) for field in fields(Limits)}),
        isolation=IsolationWanted(settings.isolation, settings.require_isolation, settings.network),
        allow_file_repositories=settings.allow_file_repositories,
        lease_seconds=settings.lease_seconds,
    )


def make_ready(settings: Settings, installation: Installation) -> None:
    """Make the home directory, and bring the ledger to the shape that this version needs.

    The embedded ledger is brought up to date by itself; one on a server is the operator's:
    `provenote db upgrade` does it, and until then LedgerOutdatedError is raised.
    """
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if settings.database_url:
        require_current(installation.ledger)
    else:
        upgrade(installation.ledger)
