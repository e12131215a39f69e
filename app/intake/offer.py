"""What a project offers at one of its commits: a report and the parameters it takes."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.intake.refs import HEADS
from pipeline.installation import Installation
from pipeline.manifest import read_manifest
from pipeline.manifest_parts.models import Manifest, ReportSpec
from pipeline.parameters import Schema
from pipeline.repository.checkout import CommitInfo
from pipeline.repository.git import is_sha
from pipeline.repository.mirror import Mirror, UnknownRevisionError
from pipeline.schema import report_schema
from provenance.ledger.queries.projects import project_named
from provenance.ledger.tables import Project

FETCH_SECONDS = 30.0
"""Longest time that somebody who waits for an answer waits for a repository."""


@dataclass(frozen=True)
class Offer:
    """A report as one commit declares it."""

    project: Project
    commit: CommitInfo
    revision: str
    """What was asked for: the name of a branch or tag, or a commit."""
    branch: str | None
    report: str
    manifest: Manifest
    spec: ReportSpec
    schema: Schema


def find_project(installation: Installation, name: str) -> Project:
    """Return the project called *name*; raise a NotFoundError that names the nearest."""
    with installation.ledger.reading() as session:
        return project_named(session, name)


def read_offer(
    installation: Installation, project: Project, report: str, revision: str | None, fresh: bool
) -> Offer:
    """Read what *revision* (None: the default branch) declares about *report*.

    With *fresh*, names of branches and tags are looked up at the repository itself; without,
    in our copy of it, where that knows them. Raises NotFoundError for an unknown revision or
    report, InvalidInputError for a manifest in error, UnavailableError for a repository that
    does not answer.
    """
    revision = revision or project.default_branch
    mirror = _mirror(installation, project)
    sha = _resolve(mirror, revision, fresh)
    tree = mirror.tree(sha)
    manifest = read_manifest(tree)
    spec = manifest.report(report)
    return Offer(
        project=project,
        commit=mirror.commit(sha),
        revision=revision,
        branch=_branch(mirror, revision),
        report=report,
        manifest=manifest,
        spec=spec,
        schema=report_schema(tree, manifest, report),
    )


def today() -> datetime:
    """Return this instant, by which parameters such as ``today`` are resolved."""
    return datetime.now(UTC)


def _mirror(installation: Installation, project: Project) -> Mirror:
    seconds = min(FETCH_SECONDS, installation.limits.git_seconds)
    limited = replace(installation, limits=replace(installation.limits, git_seconds=seconds))
    return Mirror(limited, project.id, project.url)


def _resolve(mirror: Mirror, revision: str, fresh: bool) -> str:
    if not fresh or is_sha(revision):
        try:
            return mirror.resolve(revision)
        except UnknownRevisionError:
            pass  # It may have been pushed since we last fetched.
    mirror.fetch()
    return mirror.resolve(revision)


def _branch(mirror: Mirror, revision: str) -> str | None:
    if is_sha(revision):
        return None
    try:
        mirror.resolve(HEADS + revision)
    except UnknownRevisionError:
        return None
    return revision
