"""What papermill finds when it looks for engines: it imports nothing, papermill least of all."""

from typing import Any


class ProvenotePlug:
    """Stands for the engine until a notebook is executed.

    papermill loads all engines while it is itself imported; one that imports papermill would
    then meet it half-made.
    """

    @classmethod
    def execute_notebook(cls, *arguments: Any, **options: Any) -> Any:
        """Execute a notebook by the engine that this stands for."""
        from pipeline.kernels.engine import ProvenoteEngine

        return ProvenoteEngine.execute_notebook(*arguments, **options)
