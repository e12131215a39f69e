"""``provenote export``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from app.assemble import assemble, make_ready
from app.cli.meant import run_named
from app.exports import (
    BUNDLE,
    FORMATS,
    OPEN_LINEAGE,
    PAGES,
    PDF,
    RO_CRATE,
    bundle,
    standalone_page,
    subject_of,
    text_of,
    zip_crate,
)
from app.settings import Settings, read_settings
from pipeline.bundles.contents import Bundle
from pipeline.bundles.writing import zipped
from pipeline.installation import Installation
from provenance.errors import InvalidInputError, NotFoundError
from provenance.export.crate import write_crate
from provenance.export.crate_files import LARGEST, MIB, CrateFiles, Taken
from provenance.export.open_lineage import run_events
from provenance.export.subject import Subject
from provenance.ledger.finding import find_run

STANDARD_OUTPUT = "-"


class TargetError(InvalidInputError):
    """Raised when an export cannot be written where it was to go."""

    code = "export_target"


class NoPageError(NotFoundError):
    """Raised when a run whose report is to be exported left no page."""

    code = "no_page"


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option(
    "--format",
    "form",
    type=click.Choice((*FORMATS, BUNDLE, *PAGES)),
    required=True,
    help="What to export it as.",
)
@click.option(
    "-o",
    "--output",
    "target",
    metavar="FILE",
    help="Write to this file; - is standard output. A crate: a .zip file, or a folder.",
)
@click.option("--to", "url", metavar="URL", help="POST OpenLineage events to this address.")
@click.option("--without-data", is_flag=True, help="A crate without outputs of stages and files.")
@click.option(
    "--largest",
    type=click.FloatRange(0),
    default=LARGEST / MIB,
    metavar="MIB",
    help="MiB of the largest file that goes into a crate.",
)
def command(run_id: str, form: str, target: str | None, url: str | None, **crate: Any) -> None:
    """Export how a run came to be, or its report as HTML or PDF.

    PROV-JSON, RO-Crate and OpenLineage events are for other tools; html is the report as one
    file that opens without a network, pdf the same on paper. A bundle is a ZIP file of page,
    notebook and records that `provenote verify` checks where there is no archive.

    RUN is the id of a run, or "latest".
    """
    if url is not None and form != OPEN_LINEAGE:
        raise click.UsageError(f"--to sends OpenLineage events; it does not go with {form}.")
    settings = read_settings()
    installation = assemble(settings)
    make_ready(settings, installation)
    with installation.ledger.reading() as session:
        run_id = run_named(session, run_id)
    if form in PAGES:
        _write_page(installation, settings, run_id, form, target)
        return
    if form == BUNDLE:
        _write_bundle(bundle(installation, run_id), target or f"{run_id}.bundle.zip")
        return
    _write_export(installation, run_id, form, (target, url), **crate)


def _write_export(
    installation: Installation,
    run_id: str,
    form: str,
    to: tuple[str | None, str | None],
    *,
    without_data: bool,
    largest: float,
) -> None:
    """Write what other tools read, to a file, to an address, or to both."""
    target, url = to
    subject = subject_of(installation, run_id)
    if form == RO_CRATE:
        taken = Taken(not without_data, int(largest * MIB))
        _write_crate(installation, subject, target or f"{run_id}.crate.zip", taken)
        return
    if url is not None:
        _send(subject, url)
    if target is not None or url is None:
        _write_text(text_of(subject, form), target or STANDARD_OUTPUT)


def _write_page(
    installation: Installation, settings: Settings, run_id: str, form: str, target: str | None
) -> None:
    with installation.ledger.reading() as session:
        run = find_run(session, run_id)
    if run.html is None:
        raise NoPageError(f"Run {run.id} has no page.", f"provenote runs show {run.id} tells why.")
    content = standalone_page(installation, run)
    if form == PDF:
        from app.printing import print_pdf

        content = print_pdf(content, settings)
    target = target or f"{run_id}.{form}"
    if target == STANDARD_OUTPUT:
        sys.stdout.buffer.write(content)
        return
    with _words_for(target):
        Path(target).write_bytes(content)
    click.echo(f"{target} written.", err=True)


def _write_bundle(found: Bundle, target: str) -> None:
    if target == STANDARD_OUTPUT:
        sys.stdout.buffer.writelines(zipped(found))
        return
    with _words_for(target), Path(target).open("wb") as stream:
        stream.writelines(zipped(found))
    click.echo(f"{target} written: {len(found.files) + 1} files.", err=True)
    for record in found.manifest.missing:
        click.echo(f"  without record {record}: the archive no longer has it", err=True)


def _send(subject: Subject, url: str) -> None:
    from app.lineage_client import send_events

    events = run_events(subject)
    send_events(events, url)
    click.echo(f"{len(events)} events sent.", err=True)


def _write_text(text: str, target: str) -> None:
    if target == STANDARD_OUTPUT:
        click.echo(text, nl=False)
        return
    with _words_for(target):
        Path(target).write_text(text, encoding="utf-8")
    click.echo(f"{target} written.", err=True)


def _write_crate(installation: Installation, subject: Subject, target: str, taken: Taken) -> None:
    with _words_for(target):
        if target == STANDARD_OUTPUT:
            files = zip_crate(installation, subject, sys.stdout.buffer, taken)
        elif target.endswith(".zip"):
            with Path(target).open("wb") as stream:
                files = zip_crate(installation, subject, stream, taken)
        else:
            files = write_crate(subject, installation.store, _empty_folder(target), taken)
    _tell(files, target)


def _empty_folder(target: str) -> Path:
    folder = Path(target)
    if folder.exists() and any(folder.iterdir()):
        raise TargetError(
            f"The folder {target} is not empty; a crate is everything that its folder holds.",
            "Name a folder that does not exist yet, or a file that ends in .zip.",
        )
    return folder


def _tell(files: CrateFiles, target: str) -> None:
    if target != STANDARD_OUTPUT:
        click.echo(f"{target} written: {files.count} files.", err=True)
    for path, why in files.left_out:
        click.echo(f"  without {path}: {why}", err=True)


@contextmanager
def _words_for(target: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TargetError(
            f"{target} cannot be written: {error.strerror or error}.", "Name another with -o."
        ) from None
