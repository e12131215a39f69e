"""The guard at the entrance: which hosts, origins and sizes of requests are let in."""

from urllib.parse import urlsplit

from flask import Flask, Response, abort, request

from app.current import INSTALLATION
from app.errors import RefusedError
from app.json_answers import json_answer

MAX_BODY_BYTES = 1024 * 1024
"""Largest body of any request but a hook's, which sets its own limit."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_PROBES = frozenset({"/healthz", "/readyz"})
_API = "/api/"
_HOOKS = "/hooks/"
_JSON = frozenset({"application/json"})
UPLOADS = frozenset({"api_datasets.upload_batch"})
"""Calls whose body is a file: they look after its size and content themselves."""
UNKNOWN = "api.unknown"
"""What answers where the interface has nothing, or nothing for the method of the request."""
FILE_TYPES = frozenset(
    {"application/vnd.apache.parquet", "text/csv", "application/octet-stream"} | _JSON
)
"""What a file is sent as: nothing that a foreign page could send without being asked for leave."""


def install(app: Flask) -> None:
    """Put the guard before every request of *app*.

    A request must name a host that is ours: else a page elsewhere could point its own name
    at this machine (DNS rebinding) and read with the reader's browser what only they may.
    """
    base_url = app.extensions[INSTALLATION].base_url
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["SESSION_COOKIE_HTTPONLY"] = True
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["SESSION_COOKIE_SECURE"] = base_url.startswith("https://")
    allowed = _LOOPBACK | {_host_name(urlsplit(base_url).netloc.rpartition("@")[2])}

    # Before everything else that looks at a request, CSRF protection included.
    hooks = app.before_request_funcs.setdefault(None, [])
    hooks.insert(0, lambda: _check_host(allowed))
    hooks.insert(1, _check_address)
    hooks.insert(2, _check_length)
    hooks.insert(3, _check_api_call)


def _host_name(netloc: str) -> str:
    """Return the host of ``host:port`` in lower case; of ``[::1]:80``, ``[::1]``."""
    name = netloc.strip().lower()
    end = name.rfind("]") if name.startswith("[") else name.rfind(":") - 1
    return name[: end + 1] if end >= 0 else name


def _check_host(allowed: frozenset[str]) -> Response | None:
    host = request.headers.get("Host", "")
    if _host_name(host) in allowed or request.path in _PROBES:
        return None
    text = (
        f"This is not {host[:80]!r}.\n"
        "Requests are answered under 127.0.0.1, localhost and the host of the base address.\n"
        "To be reached under another name, set PROVENOTE_BASE_URL to it.\n"
    )
    return Response(text, status=421, mimetype="text/plain")


def _check_address() -> None:
    """Refuse NUL bytes, which no name holds and some databases cannot be asked for."""
    if "\0" in request.path:
        abort(404)
    if b"%00" in request.query_string or b"\0" in request.query_string:
        abort(400, "The query holds a NUL byte.")


def _check_length() -> Response | None:
    """Refuse bodies of unknown length, which would be cut at the limit without a word.

    Hooks read theirs with care of their own.
    """
    if request.content_length is not None or request.path.startswith(_HOOKS):
        return None
    if "Transfer-Encoding" not in request.headers:
        return None
    return json_answer(RefusedError(411, "length_required", "The length of the body is not given."))


def _check_api_call() -> Response | None:
    """Refuse calls that a foreign page could make with its reader's browser."""
    if not request.path.startswith(_API) or request.method in _READING:
        return None
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return json_answer(
            RefusedError(403, "cross_site", "Calls from pages of other sites are refused.")
        )
    if request.endpoint == UNKNOWN:
        return None  # nothing is done there, whatever is sent: the answer says what can be
    taken = FILE_TYPES if request.endpoint in UPLOADS else _JSON
    if request.mimetype not in taken:
        return json_answer(
            RefusedError(
                415,
                "content_type",
                f"The content type is {request.mimetype or 'missing'!r}.",
                f"Send Content-Type: {' or '.join(sorted(taken))}.",
            )
        )
    return None
