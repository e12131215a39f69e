"""The forms that a batch's file can have, told by media type; only the standard library."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # whoever looks into a file needs no ledger
    from provenance.ledger.data_tables import Batch

PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv"
JSON = "application/json"
JSON_GZIP = "application/json+gzip"
"""How JSON is kept: compressed by gzip, which every language reads."""
ANYTHING = "application/octet-stream"
SUFFIXES = {".parquet": PARQUET, ".csv": CSV, ".json": JSON}
FORMATS = {"parquet": PARQUET, "csv": CSV, "json": JSON}


def format_of(media_type: str) -> str | None:
    """Return the word for what readers get by default: parquet, csv, json; None: a file as is."""
    plain = JSON if media_type == JSON_GZIP else media_type
    return next((word for word, found in FORMATS.items() if found == plain), None)


def stem(batch: "Batch") -> str:
    """Return the batch's file name without what tells its form."""
    name = batch.filename.removesuffix(".gz")
    head, dot, _ = name.rpartition(".")
    return head if dot and head else name


def safe_filename(name: str) -> str:
    """Return *name* as it may stand in a folder or a header: letters, digits, and -_. alone."""
    plain = name.replace("\\", "/").rpartition("/")[2]
    kept = (sign if sign.isascii() and (sign.isalnum() or sign in "-_.") else "-" for sign in plain)
    return "".join(kept).lstrip(".") or "file"


def export_name(batch: "Batch", form: str | None) -> str:
    """Return the name of a file with *batch* in the form *form*; None: a file as it is."""
    return safe_filename(f"{stem(batch)}.{form}" if form is not None else batch.filename)
