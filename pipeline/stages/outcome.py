"""How a stage went, as the runner tells it to its worker."""

from dataclasses import asdict
from typing import Any

from pipeline.runner.messages import Failure


def succeeded(outputs: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Say that the stage left *outputs*: each with name, path and media_type."""
    return {"outputs": outputs, "failure": None, **more}


def failed(failure: Failure) -> dict[str, Any]:
    """Say that the stage came to nothing, and why."""
    return {"outputs": [], "failure": asdict(failure)}
