"""GitHub's hooks: ``X-Hub-Signature-256``, ``X-GitHub-Event``, ``X-GitHub-Delivery``."""

from typing import Any

from werkzeug.datastructures import Headers

from app.intake.forges.forge import Ignored, RefUpdate, delivery_id, push_of
from app.intake.payload import PayloadError
from app.intake.request import Push


class GitHub:
    """The dialect of github.com and GitHub Enterprise."""

    name = "github"
    signature_header = "X-Hub-Signature-256"

    def read(self, headers: Headers, payload: dict[str, Any]) -> Push | Ignored:
        """Say what a delivery asks for: pushes to branches are taken, the rest is ignored."""
        event = headers.get("X-GitHub-Event", "")
        if not event:
            raise PayloadError("The header X-GitHub-Event is missing.")
        if event == "ping":
            return Ignored("pong")
        if event != "push":
            return Ignored("only push events are evaluated")
        delivery = delivery_id(self.name, headers.get("X-GitHub-Delivery"), event)
        if payload.get("deleted") is True:
            return Ignored("the branch was deleted")
        return push_of(_update(payload), delivery)


def _update(payload: dict[str, Any]) -> RefUpdate:
    pusher, sender = payload.get("pusher"), payload.get("sender")
    actor = pusher.get("name") if isinstance(pusher, dict) else None
    if actor is None and isinstance(sender, dict):
        actor = sender.get("login")
    return RefUpdate(payload.get("ref"), payload.get("before"), payload.get("after"), actor)
