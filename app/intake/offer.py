"""What a project offers at one of its commits: a report and the parameters it takes."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

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
    mirror = mirror_of(installation, project)
    return _offer(mirror, project, report, revision, _find(mirror, revision, fresh))


def offer_here(
    installation: Installation, project: Project, report: str, revision: str | None
) -> Offer:
    """Return what `read_offer` does, by our copy of the repository alone: nobody waits for it.

    Raises UnknownRevisionError also for what was pushed since the copy was brought up to date.
    """
    revision = revision or project.default_branch
    mirror = mirror_of(installation, project)
    return _offer(mirror, project, report, revision, mirror.find(revision))


def _offer(
    mirror: Mirror, project: Project, report: str, revision: str, found: tuple[str, bool]
) -> Offer:
    sha, is_branch = found
    declared = _declared(mirror, sha, report)
    return Offer(
        project=project,
        commit=mirror.commit(sha),
        revision=revision,
        branch=revision if is_branch else None,
        report=report,
        manifest=declared.manifest,
        spec=declared.spec,
        schema=declared.schema,
    )


@dataclass(frozen=True)
class _Declared:
    manifest: Manifest
    spec: ReportSpec
    schema: Schema


_remembered: dict[tuple[str, str, str], _Declared] = {}
"""What commits declare about reports, the latest of them: a commit never changes."""
_MOST_REMEMBERED = 128


def _declared(mirror: Mirror, sha: str, report: str) -> _Declared:
    key = (str(mirror.repository), sha, report)
    found = _remembered.get(key)
    if found is None:
        tree = mirror.tree(sha)
        manifest = read_manifest(tree)
        spec = manifest.report(report)
        found = _Declared(manifest, spec, report_schema(tree, manifest, report))
        while len(_remembered) >= _MOST_REMEMBERED:
            _remembered.pop(next(iter(_remembered)), None)
        _remembered[key] = found
    return found


def today() -> datetime:
    """Return this instant, by which parameters such as ``today`` are resolved."""
    return datetime.now(UTC)


def mirror_of(installation: Installation, project: Project) -> Mirror:
    """Return our copy of the project's repository, for somebody who waits for an answer."""
    seconds = min(FETCH_SECONDS, installation.limits.git_seconds)
    limited = replace(installation, limits=replace(installation.limits, git_seconds=seconds))
    return Mirror(limited, project.id, project.url)


def _find(mirror: Mirror, revision: str, fresh: bool) -> tuple[str, bool]:
    """Return the commit that *revision* stands for, and whether that is a branch's name."""
    if not fresh or is_sha(revision):
        try:
            return mirror.find(revision)
        except UnknownRevisionError:
            pass  # It may have been pushed since we last fetched.
    return mirror.find_newest(revision)
