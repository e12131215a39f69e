"""What belongs to a page and does not stand in it: figures and whole outputs, each by itself.

A page holds its first figures itself, so that a small report is one file. What is more lies
beside it, and is loaded when a reader comes to it. The page says in its head what belongs to it,
by digest: whoever has the page and the store has everything.
"""

import hashlib
import json
import mimetypes
from dataclasses import dataclass, field

from provenance.pages import Part

FIGURES_IN_PAGE = 1_500_000
"""How many bytes of figures, as Base64, stand in the page itself."""
FROM_PAGE = "output/"
"""What the address of a part begins with on a page, which is served at ``/runs/<id>/report``."""
_SUFFIXES = mimetypes.MimeTypes()  # Python's own list, whatever the machine has


@dataclass
class Parts:
    """The parts of the page being made, with their content."""

    found: list[tuple[Part, bytes]] = field(default_factory=list)
    figures: int = 0
    """Bytes of the figures that stand in the page so far."""

    def room_for_figure(self, size: int) -> bool:
        """Tell whether a figure of that many bytes stands in the page itself, and count it."""
        if self.figures + size > FIGURES_IN_PAGE:
            return False
        self.figures += size
        return True

    def add(self, place: str, media_type: str, content: bytes) -> str:
        """Keep *content* beside the page, and return its address as seen from there.

        The address names the content too: pages of several runs can lie in one folder. It ends as
        a file's name does, from which a browser tells what it is where no server says so.
        """
        digest = hashlib.sha256(content).hexdigest()
        suffix = _SUFFIXES.guess_extension(media_type.partition(";")[0]) or ""
        place = f"{place}-{digest[:8]}{suffix}"
        self.found.append((Part(place, media_type, digest, len(content)), content))
        return FROM_PAGE + place

    @property
    def listed(self) -> str:
        """What the page says of its parts: JSON without anything that could end its element."""
        told = {part.place: [part.sha256, part.media_type, part.size] for part, _ in self.found}
        return json.dumps(told, separators=(",", ":"))
