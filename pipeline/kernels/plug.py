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

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> Any:
        """Return the kernel that the notebook *nb* is to have, or *name*."""
        from pipeline.kernels.engine import ProvenoteEngine

        return ProvenoteEngine.nb_kernel_name(nb, name)

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> Any:
        """Return the language that the notebook *nb* is in, or *language*."""
        from pipeline.kernels.engine import ProvenoteEngine

        return ProvenoteEngine.nb_language(nb, language)
