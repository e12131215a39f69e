"""The button of an environment: to use its warm kernels again."""

from flask import redirect, url_for
from werkzeug.wrappers import Response

from app.current import actor, installation
from provenance.ledger.kernel_proofs import trust
from provenance.ledger.queries.environments import environment_page


def trust_kernels(key: str) -> Response:
    """Let warm kernels of the environment be used again; go back to its page."""
    with installation().ledger.writing() as session:
        found = environment_page(session, key).found
        trust(session, found.key, actor())
    return redirect(url_for("archive.environment", key=found.key, _anchor="kernels"), 303)
