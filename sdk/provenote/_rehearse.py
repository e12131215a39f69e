"""First uses of libraries, done once in a kernel host instead of in each kernel that it forks.

A library keeps what it has worked out when it is first used: fonts that it found and opened,
expressions that it compiled. Only what leaves nothing else behind is done here: no figure that
pyplot would know of, no random number drawn, no thread started, no warning used up.
"""

import contextlib
import io
import sys
import warnings

_done: set[str] = set()


def rehearse() -> None:
    """Use each library that is imported by now, and was not when this was last called."""
    for name, use in _USES.items():
        if name in sys.modules and name not in _done:
            _done.add(name)
            # What fails here fails in a cell too, and is told there.
            with contextlib.suppress(Exception), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                use()


def _draw() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([0.0, 1.0], [0.0, 1.0], label="line")
    axes.legend()
    figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")


_USES = {"matplotlib.pyplot": _draw}
