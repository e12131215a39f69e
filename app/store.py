"""From settings to the store: a folder, or a bucket whose credentials are in the environment."""

import os
from collections.abc import Mapping

from app.settings import Settings
from provenance.store import Store
from provenance.stores.s3 import S3Shelf

_PASSED = {
    "AWS_ACCESS_KEY_ID": "access_key_id",
    "AWS_SECRET_ACCESS_KEY": "secret_access_key",
    "AWS_SESSION_TOKEN": "session_token",
    "AWS_DEFAULT_REGION": "region",
    "AWS_REGION": "region",
    "AWS_ENDPOINT_URL": "endpoint",
    "AWS_ENDPOINT_URL_S3": "endpoint",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "virtual_hosted_style_request",
    "AWS_SKIP_SIGNATURE": "skip_signature",
}
"""Variables that are handed over, by what the library calls them; a later one wins."""


def open_store(settings: Settings, environ: Mapping[str, str] = os.environ) -> Store:
    """Return the store that *settings* name; nothing is connected to or written yet."""
    if not settings.store_in_bucket:
        return Store(settings.store_path)
    options = {name: environ[found] for found, name in _PASSED.items() if environ.get(found)}
    return Store(settings.store_path, S3Shelf(settings.store_url, options))
