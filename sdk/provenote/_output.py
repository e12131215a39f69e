"""Keeping what cells give within bounds, in the kernel itself: a flood is not even sent."""

from typing import Any

CUT = "provenote_cut"
"""Stands in the content of a message that was cut: whoever receives it has to know."""
_NOTE = "\n[cut: this is more than a report may show]\n"
_SHOWN = frozenset({"stream", "display_data", "execute_result", "update_display_data"})


def cap(room: int) -> None:
    """Let this kernel send about *room* characters of output in all, and no more.

    Whatever a kernel sends goes through its session. Streams are no place to count: IPython
    puts a ``write`` of its own in front of theirs for each cell.
    """
    from jupyter_client.session import Session

    send, left = Session.send, room

    def limited(
        self: Any, stream: Any, told: Any, content: Any = None, *rest: Any, **more: Any
    ) -> Any:
        """Send a message, with as much of its output as there is room for."""
        nonlocal left
        kind = told["msg_type"] if isinstance(told, dict) else told
        if kind not in _SHOWN:
            return send(self, stream, told, content, *rest, **more)
        given = told["content"] if isinstance(told, dict) else content
        before, left = left, left - _size(given)
        if left >= 0:
            return send(self, stream, told, content, *rest, **more)
        if before < 0:
            return None  # the note has been sent
        cut = {"name": "stdout", "text": given.get("text", "")[:before] + _NOTE, CUT: True}
        parent = told.get("parent_header") if isinstance(told, dict) else more.pop("parent", None)
        ident = more.pop("ident", None)
        return send(self, stream, "stream", cut, parent=parent, ident=ident)

    Session.send = limited  # type: ignore[method-assign, assignment]


def _size(given: Any) -> int:
    return len(given.get("text", "")) + sum(len(str(one)) for one in given.get("data", {}).values())
