"""What commands print: one JSON document on standard output, or words for a person."""

import json
import traceback
from typing import Any

import click

from app.settings import SettingsError
from provenance.errors import ProvenoteError

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on standard output."
)


def print_json(document: Any) -> None:
    """Print *document* as JSON."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def report_error(error: Exception, *, as_json: bool) -> int:
    """Tell of *error* and return the exit status that it means.

    What is no error of ours to foresee is a mistake of ours: its traceback is shown, and the
    status must not be 1, which says that a check failed.
    """
    if isinstance(error, SettingsError):
        error = ProvenoteError(str(error))
        status = 2
    elif isinstance(error, ProvenoteError):
        from app.errors import exit_status

        status = exit_status(error)
    else:
        traceback.print_exception(error)
        error = ProvenoteError("A mistake of provenote's own stopped this command.")
        status = 3
    if as_json:
        from app.errors import error_object

        print_json(error_object(error))
    click.secho(f"Error: {error.message}", fg="red", err=True)
    if error.hint:
        click.echo(error.hint, err=True)
    return status


def report_usage(error: click.ClickException, *, as_json: bool) -> int:
    """Tell how a command is used that was used wrongly, and return the exit status."""
    if as_json:
        told = {"code": "usage", "message": error.format_message(), "hint": ""}
        print_json({"error": told})
    error.show()
    return 2
