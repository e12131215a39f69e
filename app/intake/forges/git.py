"""Our own hook, for a bare git repository: signed JSON, one request a ref that moved."""

from typing import Any

from werkzeug.datastructures import Headers

from app.intake.forges.forge import Ignored, RefUpdate, delivery_id, push_of
from app.intake.request import Push


class Git:
    """The dialect of the ``post-receive`` script that provenote makes.

    The body is ``{"ref", "before", "after", "pusher", "delivery"}``.
    """

    name = "git"
    signature_header = "X-Provenote-Signature"

    def read(self, headers: Headers, payload: dict[str, Any]) -> Push | Ignored:
        """Say what a delivery asks for: pushes to branches are taken, the rest is ignored."""
        del headers
        delivery = delivery_id(self.name, payload.get("delivery"), "push")
        update = RefUpdate(
            payload.get("ref"), payload.get("before"), payload.get("after"), payload.get("pusher")
        )
        return push_of(update, delivery)
