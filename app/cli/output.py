"""What commands print: one JSON document on standard output, or words for a person."""

import json
import traceback
from typing import Any
from unicodedata import category

import click

from app.settings import SettingsError
from provenance.errors import ProvenoteError

_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Kinds of characters that move the cursor, turn text around or begin a line."""
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def say(text: str, *, err: bool = False, **style: Any) -> None:
    """Print one line; what came from a project must not steer the terminal."""
    told = plain(text.strip("\n"))
    click.secho(("\n" if text.startswith("\n") else "") + told, err=err, **style)


def plain(text: str) -> str:
    """Return *text* on one line and without what would steer a terminal."""
    return "".join(
        _UNPRINTABLE if category(char) in _STEERING else char for char in text.expandtabs(4)
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
    for line in f"Error: {error.message}".split("\n"):
        say(line, fg="red", err=True)
    for line in error.hint.split("\n") if error.hint else ():
        say(line, err=True)
    return status


def report_usage(error: click.ClickException, *, as_json: bool) -> int:
    """Tell how a command is used that was used wrongly, and return the exit status."""
    if as_json:
        told = {"code": "usage", "message": error.format_message(), "hint": ""}
        print_json({"error": told})
    error.show()
    return 2
