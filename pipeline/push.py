"""What a push asks for: which reports of its commit, on which cases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from pipeline.cases import all_cases
from pipeline.manifest import read_manifest
from pipeline.manifest_parts.models import Manifest, PushSpec
from pipeline.repository.checkout import CommitInfo
from pipeline.repository.mirror import Mirror, UnknownRevisionError
from pipeline.repository.tree import Tree
from pipeline.schema import report_schema
from provenance.ledger.intake import CaseToRun
from provenance.ledger.tables import Evaluation


def commit_of_push(mirror: Mirror, evaluation: Evaluation) -> CommitInfo:
    """Return the commit that was pushed, fetching it if it is not here yet.

    Raises UnavailableError where the repository cannot be reached, UnknownRevisionError where
    it has no such commit.
    """
    sha = evaluation.commit_sha
    if sha is None or not mirror.has(sha):
        mirror.fetch()
    if sha is not None and not mirror.has(sha):
        raise UnknownRevisionError(
            f"The repository has no commit {sha}.", "Was it pushed to another repository?"
        )
    return mirror.commit(sha or mirror.resolve(evaluation.revision))


def cases_of_push(mirror: Mirror, evaluation: Evaluation, commit: CommitInfo) -> list[CaseToRun]:
    """Return every case that the manifest of *commit* runs on this push.

    Raises ManifestError, or whatever else says what is wrong with the commit.
    """
    tree = mirror.tree(commit.sha)
    manifest = read_manifest(tree)
    changed = _changed_files(mirror, evaluation, commit)
    return list(_cases(tree, manifest, evaluation.branch or "", changed))


def _changed_files(
    mirror: Mirror, evaluation: Evaluation, commit: CommitInfo
) -> frozenset[str] | None:
    """Return the paths that the push changed; None where everything is new."""
    before = evaluation.before_sha
    if before is None or not mirror.has(before):
        before = commit.parent
    return mirror.changed_files(before, commit.sha) if before else None


def _cases(
    tree: Tree, manifest: Manifest, branch: str, changed: frozenset[str] | None
) -> Iterator[CaseToRun]:
    today = datetime.now(UTC).date()
    for name, spec in manifest.reports.items():
        if spec.on.push is None or not _wanted(spec.on.push, branch, changed):
            continue
        yield from all_cases(name, spec, report_schema(tree, manifest, name), today)


def _wanted(push: PushSpec, branch: str, changed: frozenset[str] | None) -> bool:
    if push.branches and not any(fnmatchcase(branch, pattern) for pattern in push.branches):
        return False
    if not push.paths or changed is None:
        return True
    return any(fnmatchcase(path, pattern) for path in changed for pattern in push.paths)
