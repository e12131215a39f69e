"""What commands on a working tree share: where it is, and whose ledger its runs go into."""

import getpass
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import click

from app.assemble import assemble, make_ready
from app.settings import Settings, read_settings
from pipeline.asked import DataWanted
from pipeline.cases import all_cases, case_to_run
from pipeline.installation import Installation
from pipeline.manifest import read_manifest
from pipeline.manifest_parts.models import Manifest
from pipeline.repository.checkout import Checkout
from pipeline.repository.git import GitError, git
from pipeline.repository.mirror import Mirror, UnknownRevisionError
from pipeline.repository.tree import OneLook
from pipeline.repository.working_tree import local_branch, working_tree
from pipeline.schema import report_schema
from provenance.datasets.instants import read_instant
from provenance.identity.canonical import digest
from provenance.ledger.ids import new_id
from provenance.ledger.intake import CaseToRun
from provenance.ledger.tables import Project
from provenance.nearest import did_you_mean, listed


@dataclass(frozen=True)
class Local:
    """A working tree, or a commit of its repository, ready to be run here."""

    settings: Settings
    installation: Installation
    project_id: str
    checkout: Checkout
    manifest: Manifest
    branch: str | None

    @cached_property
    def project(self) -> Project:
        """The project's row in the ledger."""
        with self.installation.ledger.reading() as session:
            return session.get_one(Project, self.project_id)

    @property
    def actor(self) -> str:
        """Who runs it."""
        return getpass.getuser()


def open_local(revision: str | None, *, only_look: bool = False) -> Local:
    """Return the project that the current directory lies in.

    With *only_look* each file is read once, whatever becomes of it meanwhile: nothing may be
    executed then.
    """
    settings = read_settings()
    with ThreadPoolExecutor(1) as beside:
        # Git is asked while the ledger is opened.
        looking = beside.submit(_look_at, Path.cwd())
        # It is the user's own repository, so reading it from this machine is not in question.
        installation = replace(assemble(settings, sources=True), allow_file_repositories=True)
        make_ready(settings, installation)
        tree, branch = looking.result()
    checkout = tree
    if revision is not None:
        checkout, branch = of_commit(installation, tree.root, revision)
    if only_look:
        checkout = replace(checkout, tree=OneLook(checkout.tree.root, checkout.tree.tracked))
    manifest = read_manifest(checkout.tree)
    project_id = _project(installation, manifest.name, tree.root)
    return Local(settings, installation, project_id, checkout, manifest, branch)


def _look_at(directory: Path) -> tuple[Checkout, str | None]:
    tree = working_tree(directory)
    return tree, local_branch(tree.root)


def of_commit(installation: Installation, root: Path, revision: str) -> tuple[Checkout, str | None]:
    """Lay out the commit that *revision* means in the repository at *root*.

    Returns the branch too, where *revision* is the name of one.
    """
    sha = resolve_here(root, f"{revision}^{{commit}}")
    if sha is None:
        told = git(["for-each-ref", "--format=%(refname:short)", "refs/heads"], directory=root)
        branches = told.decode().split()
        raise UnknownRevisionError(
            f"The repository has no branch, tag or commit {revision!r}.",
            did_you_mean(revision, branches) or f"Its branches are: {listed(branches)}.",
        )
    mirror = Mirror(installation, f"local-{digest('working-tree', str(root))[:16]}", str(root))
    mirror.fetch(sha)
    branch = revision if resolve_here(root, f"refs/heads/{revision}") else None
    return mirror.checkout(sha), branch


def resolve_here(root: Path, name: str) -> str | None:
    """Return the object that git takes *name* for, in whatever form; None where it is none."""
    command = ["rev-parse", "--quiet", "--verify", "--end-of-options", name]
    try:
        return git(command, directory=root).decode().strip()
    except GitError:
        return None


def _project(installation: Installation, name: str, root: Path) -> str:
    """Return the id of the project *name*, adding it with this directory as its repository."""
    from sqlalchemy import select

    # Of the table, not of the class: the first use of a class sets up those of all tables.
    projects = Project.metadata.tables[Project.__tablename__]
    known = select(projects.c.id).where(projects.c.name == name)
    with installation.ledger.reading() as session:
        found: str | None = session.scalar(known)
    if found is not None:
        return found
    with installation.ledger.writing() as session:
        found = session.scalar(known)
        if found is None:
            found = new_id("project")
            session.add(Project(id=found, name=name, url=str(root)))
        return found


def wanted_cases(local: Local, report: str | None, given: Sequence[str]) -> list[CaseToRun]:
    """Return what to run: one case from *given*, or every case that the manifest lists."""
    raw = parse_params(given)
    names = [report] if report else list(local.manifest.reports)
    today = datetime.now(UTC).date()
    found = []
    for name in names:
        spec = local.manifest.report(name)
        schema = report_schema(local.checkout.tree, local.manifest, name)
        if raw:
            resolved = schema.resolve(raw, today)
            found.append(case_to_run(name, spec, schema, resolved, today))
        else:
            found.extend(all_cases(name, spec, schema, today))
    return found


def wanted_data(as_of: str | None, publish: bool = False) -> DataWanted:
    """Return which data to read, and whether to publish; *as_of* is a date or an instant."""
    moment = read_instant(as_of, "--as-of") if as_of is not None else None
    if moment is not None and publish:
        raise click.UsageError("--as-of and --publish exclude each other.")
    return DataWanted(as_of=moment, publish=publish)


def parse_params(given: Sequence[str]) -> dict[str, str]:
    """Return ``NAME=VALUE`` texts as a mapping; refuse those of another form."""
    parsed: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"-p {text!r}: expected NAME=VALUE, such as date=2013-01-31.")
        name = name.strip()
        if name in parsed:
            raise click.UsageError(
                f"-p {name} is given twice: {parsed[name]!r} and {value!r}. Give one of them."
            )
        parsed[name] = value
    return parsed
