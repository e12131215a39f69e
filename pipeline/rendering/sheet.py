"""The page being made: what its cells ask for while they are set."""

from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from nbformat import NotebookNode

from pipeline.rendering.assets import asset
from pipeline.rendering.libraries import Libraries
from pipeline.rendering.parts import Parts
from pipeline.rendering.prose import Outline
from pipeline.rendering.typeset import drawing_json
from pipeline.rendering.widgets import Widgets

CHARACTERS_IN_PAGE = 10_000_000
"""Characters of texts and tables that a page holds before large ones are only led to."""
CHARACTERS_TO_DRAW = 60_000_000
"""The same of what is drawn, which costs no room on the page before it is."""
_SMALL = 20_000


@dataclass
class Sheet:
    """What is gathered for the head and the end of a page."""

    widgets: Widgets
    language: str = "python"
    outline: Outline = field(default_factory=Outline)
    libraries: Libraries = field(default_factory=Libraries)
    parts: Parts = field(default_factory=Parts)
    beside: set[str] = field(default_factory=set)
    """Names of the assets that outputs are drawn with which lie whole beside the page."""
    draws: bool = False
    """Whether something on the page waits for the script that draws."""
    _room: int = CHARACTERS_IN_PAGE
    _room_to_draw: int = CHARACTERS_TO_DRAW

    def has_room(self, size: int) -> bool:
        """Tell whether so many characters still stand in the page; small outputs always do."""
        if size > _SMALL and size > self._room:
            return False
        self._room -= size
        return True

    def has_room_to_draw(self, size: int) -> bool:
        """Tell whether data of so many characters are drawn in the page."""
        if size > _SMALL and size > self._room_to_draw:
            return False
        self._room_to_draw -= size
        return True

    def draw(self, *libraries: str) -> None:
        """Ask for libraries with which something on the page is drawn."""
        self.draws = True
        for library in libraries:
            self.libraries.want(library)

    @property
    def assets(self) -> tuple[str, ...]:
        """Names of all assets that the page, or what lies beside it, is drawn with."""
        return (*self.libraries.files, *self._only_beside)

    @property
    def assets_beside(self) -> str:
        """Addresses of the assets that the page does not load itself.

        The page names them too: what a page names is kept as long as it.
        """
        return " ".join(asset(name).address for name in self._only_beside)

    @property
    def _only_beside(self) -> list[str]:
        return sorted(self.beside.difference(self.libraries.files))

    @property
    def widgets_json(self) -> Markup:
        """The state of the widgets on the page, fit to stand in a script element."""
        return Markup(drawing_json(self.widgets.state))  # noqa: S704


@dataclass(frozen=True)
class Given:
    """An output as it is to be set; ``place`` is ``<cell>/<output>``, for its address."""

    output: NotebookNode
    place: str
    sheet: Sheet

    def told(self, media_type: str) -> dict[str, Any]:
        """Return what the output's metadata say of one of its forms."""
        told = self.output.metadata.get(media_type)
        return told if isinstance(told, dict) else {}
