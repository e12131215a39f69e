"""The bar that moves on a terminal while a run goes on."""

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from app.cli.heard import Heard
from app.progress import left_words, state_words
from provenance.ledger.queries.progress import Progress

_A_SECOND = 10
_WIDTH = 30


class Bar:
    """Two lines: how far the run is, and what it printed last. They vanish at its end."""

    def __init__(self, console: Console, title: str, heard: Heard) -> None:
        """Show *heard* under *title*, which is markup."""
        self._name = Text.from_markup(title, overflow="ellipsis")
        self._name.no_wrap = True
        self._heard = heard
        self._live = Live(
            get_renderable=self.render,
            console=console,
            refresh_per_second=_A_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def start(self) -> None:
        """Begin to show."""
        self._live.start()

    def stop(self) -> None:
        """Take the lines away."""
        self._live.stop()

    def render(self) -> RenderableType:
        """Return the two lines as they are at this moment."""
        now = self._heard.now()
        share = now.share
        line = Table.grid(padding=(0, 2))
        line.add_row(
            self._name,
            ProgressBar(1.0, share or 0.0, width=_WIDTH, pulse=share is None),
            Text("stops" if self._heard.stops else state_words(now), no_wrap=True),
            Text(self._time(now), "dim", no_wrap=True, overflow="ellipsis"),
        )
        return Group(
            line, Text(f"  {self._heard.printed}", "dim", no_wrap=True, overflow="ellipsis")
        )

    def _time(self, now: Progress) -> str:
        if self._heard.stops:
            return "Ctrl-C again stops at once"
        left = left_words(now)
        usual = "" if now.expected is None else f" of the usual {now.expected:.1f} s"
        return f"{now.elapsed:.1f} s{usual}{', ' if left else ''}{left}"
