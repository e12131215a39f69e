"""``provenote verify``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from app.assemble import assemble, make_ready
from app.cli.options import json_option
from app.cli.output import print_json, say
from app.settings import Settings, read_settings
from app.store import open_store
from app.web.filters import plural
from pipeline.bundles.page import verify_page
from pipeline.bundles.verify import verify_bundle
from provenance.errors import InvalidInputError
from provenance.record import SIDECAR_SUFFIX
from provenance.store import Store
from provenance.verify import Finding, Progress, Verified, sidecars_at, verify_sidecar
from provenance.verify_archive import ArchiveCheck, silent

_SHOWN = 50
_ZIP = b"PK\x03\x04"


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--repair", is_flag=True, help="Move broken objects aside, to be made again.")
@json_option
def command(paths: tuple[Path, ...], repair: bool, as_json: bool) -> None:
    """Check the whole archive, or what was taken from one.

    PATH is a bundle, a page that was downloaded as one file, a file that has a sidecar, a
    sidecar, or a folder of them. Bundles and pages need no archive. Exit status: 0 all is as it
    was written, 1 something is not.
    """
    if paths and repair:
        raise click.UsageError("--repair is for the archive; give it without a PATH.")
    settings = read_settings()
    verified = _files(settings, paths) if paths else _archive(settings, repair=repair)
    if as_json:
        print_json(verified.as_json())
    else:
        _print(verified)
    if verified.problems:
        click.get_current_context().exit(1)


def _files(settings: Settings, paths: tuple[Path, ...]) -> Verified:
    verified = Verified()
    sidecars: dict[Path, Path] = {}
    for given in paths:
        if by_itself := _check_of(given):
            by_itself(given, verified)
        else:
            sidecars |= {path.absolute(): path for path in sidecars_at(given)}
    store = _store_at_hand(settings) if sidecars else None
    for path in sidecars.values():
        verify_sidecar(path, store, verified)
    return verified


def _check_of(path: Path) -> Callable[[Path, Verified], None] | None:
    """Return what checks a file that needs no sidecar; None where one is there, or needed."""
    if not path.is_file() or path.with_name(path.name + SIDECAR_SUFFIX).exists():
        return None
    suffix = path.suffix.lower()
    with path.open("rb") as handle:
        if suffix == ".zip" or handle.read(len(_ZIP)) == _ZIP:
            return verify_bundle
    return verify_page if suffix in (".html", ".htm") else None


def _store_at_hand(settings: Settings) -> Store | None:
    """Return the store, where this machine has one: a bundle is checked without as well."""
    there = settings.store_in_bucket or (settings.store_path / "objects").is_dir()
    return open_store(settings) if there else None


def _archive(settings: Settings, *, repair: bool) -> Verified:
    if not settings.database_url and not (settings.home / "ledger.sqlite").is_file():
        raise InvalidInputError(
            f"There is no archive at {settings.home}.",
            "PROVENOTE_HOME says where it is; give a PATH to check files with their sidecars.",
        )
    installation = assemble(settings)
    make_ready(settings, installation)
    with _progress() as progress:
        return ArchiveCheck(installation.store, installation.ledger, repair, progress).run()


@contextmanager
def _progress() -> Iterator[Progress]:
    """Give what shows how far the check is, where somebody looks on."""
    if not sys.stderr.isatty():
        yield silent
        return
    with click.progressbar(length=1, label="Checking objects", file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield show


def _print(verified: Verified) -> None:
    checked = ", ".join(f"{count} {kind}" for kind, count in verified.checked.items())
    click.echo(f"Checked: {checked or 'nothing'}.")
    _list(verified.problems, "red", "✕")
    _list(verified.notes, "yellow", "·")
    if verified.problems:
        click.secho(f"{plural(len(verified.problems), 'problem')}.", fg="red", bold=True)
    else:
        click.secho("All is as it was written.", fg="green", bold=True)


def _list(findings: list[Finding], colour: str, mark: str) -> None:
    for found in findings[:_SHOWN]:
        say(f"{mark} {found.where}", fg=colour)
        say(f"    {found.message}")
    if len(findings) > _SHOWN:
        click.echo(f"    … and {len(findings) - _SHOWN} more; --json lists all")
