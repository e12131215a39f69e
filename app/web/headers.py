"""Headers that every answer carries, and the sandbox of artifacts."""

import re
from collections.abc import Sequence

from flask import Flask, Response, request

OWN_PAGES = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
_ADDRESS = re.compile(r"https?://[\w.:\[\]/~%-]+")
"""What may stand in a policy: a client could put anything into the name that it asks for."""
LASTING_SECONDS = 31_536_000
"""How long a browser keeps what never changes under its address: a year."""


def install(app: Flask) -> None:
    """Put the headers on every answer of *app*."""
    app.after_request(_protect)


def sandboxed(response: Response, base_url: str, home: str = "") -> Response:
    """Give *response*, an artifact, the policy that leaves it scripts but no origin of ours.

    Reports are code of template authors. They may draw with scripts; they get no cookie, no
    storage, no parent, no network. Of us they load the libraries that draw, and, a report,
    its own figures, which lie below *home*: ``/runs/<id>``.
    """
    roots = dict.fromkeys(
        root.rstrip("/") for root in (base_url, request.host_url) if _ADDRESS.fullmatch(root)
    )
    response.headers["Content-Security-Policy"] = artifact_policy(list(roots), home)
    response.headers["Cache-Control"] = "private, max-age=0, must-revalidate"
    return response


def artifact_policy(roots: Sequence[str], home: str = "") -> str:
    """Return the content security policy of artifacts of an installation.

    *roots* are the addresses under which readers reach it: the browser knows the one that the
    reader took, whatever the settings say. Figures of the artifact lie below *home*.
    """
    assets = " ".join(f"{root}/assets/" for root in roots)
    figures = "".join(f" {root}{home}/output/" for root in roots) if home else ""
    return "; ".join(
        (
            "sandbox allow-scripts",
            "default-src 'none'",
            f"script-src 'unsafe-inline' 'unsafe-eval' {assets} blob:",
            f"style-src 'unsafe-inline' {assets}",
            f"img-src data: blob:{figures}",
            "media-src data: blob:",
            "font-src data:",
            "connect-src 'none'",
            "worker-src blob:",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'self'",
        )
    )


def _protect(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", OWN_PAGES)
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["X-Frame-Options"] = "SAMEORIGIN"
    if request.endpoint == "static" and response.status_code == 200:
        lasting = (
            f"public, max-age={LASTING_SECONDS}, immutable" if "v" in request.args else "no-cache"
        )
        headers["Cache-Control"] = lasting
    else:
        headers.setdefault("Cache-Control", "no-cache")
    return response
