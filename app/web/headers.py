"""Headers that every answer carries, and the sandbox of artifacts."""

from urllib.parse import urlsplit

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
_YEAR = 31_536_000


def install(app: Flask) -> None:
    """Put the headers on every answer of *app*."""
    app.after_request(_protect)


def sandboxed(response: Response, base_url: str) -> Response:
    """Give *response*, an artifact, the policy that leaves it scripts but no origin of ours.

    Reports are code of template authors. They may draw with scripts; they get no cookie, no
    storage, no parent, no network.
    """
    response.headers["Content-Security-Policy"] = artifact_policy(base_url)
    response.headers["Cache-Control"] = "private, max-age=0, must-revalidate"
    return response


def artifact_policy(base_url: str) -> str:
    """Return the content security policy of artifacts of the installation at *base_url*."""
    parts = urlsplit(base_url)
    static = f"{parts.scheme}://{parts.netloc}/static/"
    return "; ".join(
        (
            "sandbox allow-scripts",
            "default-src 'none'",
            f"script-src 'unsafe-inline' 'unsafe-eval' {static} blob:",
            f"style-src 'unsafe-inline' {static}",
            f"img-src data: blob: {static}",
            f"font-src data: {static}",
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
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["X-Frame-Options"] = "SAMEORIGIN"
    if request.endpoint == "static" and response.status_code == 200:
        lasting = f"public, max-age={_YEAR}, immutable" if "v" in request.args else "no-cache"
        headers["Cache-Control"] = lasting
    else:
        headers.setdefault("Cache-Control", "no-cache")
    return response
