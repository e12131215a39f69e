"""What papermill finds when it looks for engines: it imports nothing, papermill least of all."""

from typing import Any


class _Plug:
    """Stands for the engine until it is used.

    papermill loads all engines while it is itself imported; one that imports papermill would
    then meet it half-made.
    """

    def __getattr__(self, name: str) -> Any:
        from pipeline.kernels.engine import ProvenoteEngine

        return getattr(ProvenoteEngine, name)


ENGINE = _Plug()
