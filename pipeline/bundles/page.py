"""Checking a page as one file: that it is what it was put together from, and its record."""

import hashlib
from dataclasses import replace
from pathlib import Path

from pipeline.rendering.standalone import NO_RECORD
from pipeline.rendering.taken_apart import NoStampError, TakenApart, taken_apart
from provenance.errors import InvalidInputError
from provenance.pages import RECORD_ELEMENT, embedded
from provenance.record import Output, Record, parse_record
from provenance.verify import UNREADABLE, Verified, check_key

LARGEST_PAGE = 128 * 1024 * 1024
_HTML = "html"


class NoPageFileError(InvalidInputError):
    """Raised when a file cannot be a page that was taken from an archive."""

    code = "no_page_file"


def verify_page(path: Path, verified: Verified) -> None:
    """Check a page that was downloaded as one file, without an archive.

    What was changed in it is found by the stamp in its head and the record inside it. Who
    changes all of these is found out by the record's id only. Raises NoStampError,
    NoPageFileError.
    """
    where = str(path)
    try:
        apart = check_page(_text(path), where, verified)
    except NoStampError as error:
        raise NoStampError(f"{path} cannot be checked. {error.message}", error.hint) from None
    try:
        _check_record(apart, where, verified)
    except UNREADABLE as error:  # it can be well-formed, and yet hold anything
        verified.problem("record", where, f"The record inside it cannot be looked into: {error}.")
    told = f"Its record is {apart.stamp.record}; who changed everything is found out by that alone."
    told = f"{told} Compare it with the run's in an archive that you know."
    verified.note("record", where, f"{told} Links of the page lead to {apart.stamp.url}.")


def _check_record(apart: TakenApart, where: str, verified: Verified) -> None:
    claimed, record = apart.stamp.record, record_in(apart.page, where, verified)
    if record is None:
        return
    check_key(record, where, verified)
    verified.count("keys")
    if claimed == NO_RECORD:
        verified.note("no_record", where, "The run that it was taken from has no record.")
    elif claimed not in {record_id(one) for one in (record, with_page(record, apart.page))}:
        told = f"The record inside it is not {claimed}, which its stamp names"
        verified.problem("edited", where, f"{told}: page, record or stamp was changed.")


def check_page(text: str, where: str, verified: Verified) -> TakenApart:
    """Check that a page as one file is what its stamp and its own list of parts say."""
    apart = taken_apart(text)
    verified.count("pages")
    for name in apart.changed:
        verified.problem("changed", where, f"The {name} is not the one that the page names.")
    if apart.sha256 != apart.stamp.page:
        told = f"Its text has SHA-256 {apart.sha256}; its stamp says {apart.stamp.page}"
        verified.problem("changed", where, f"{told}: text or stamp was changed.")
    elif not apart.changed and not apart.is_whole(text):
        told = "Put together again from its parts, it is another file"
        verified.problem("changed", where, f"{told}: something was put in, or left out.")
    return apart


def record_in(page: str, where: str, verified: Verified) -> Record | None:
    """Return the record that stands inside a page, which lists all outputs but that page."""
    try:
        text = embedded(page.partition("<body>")[0], RECORD_ELEMENT)
        return parse_record(text.encode())
    except UNREADABLE as error:
        verified.problem("record", where, f"The record inside it cannot be read: {error}.")
        return None


def with_page(record: Record, page: str) -> Record:
    """Return *record* with *page* as its last output, as it was when it was written."""
    data = page.encode(errors="replace")
    output = Output(_HTML, hashlib.sha256(data).hexdigest(), len(data), "text/html", "report.html")
    return replace(record, outputs=(*record.outputs, output))


def without_page(record: Record) -> Record:
    """Return *record* as it stands inside the page that it names."""
    return replace(record, outputs=tuple(one for one in record.outputs if one.name != _HTML))


def record_id(record: Record) -> str:
    """Return the digest of a record's bytes."""
    return hashlib.sha256(record.to_bytes()).hexdigest()


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST_PAGE:
        raise NoPageFileError(f"{path} is larger than {LARGEST_PAGE // 1024**2} MiB.")
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise NoPageFileError(f"{path} is no page of provenote: {error}.") from None
