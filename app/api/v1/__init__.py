"""Version 1 of the interface for programs, described at ``/api/v1/openapi.json``."""

from flask import Flask

from app.api.v1 import evaluations, projects, runs
from app.api.v1.entrance import serve


def register(app: Flask) -> None:
    """Serve the interface below ``/api/v1`` of *app*."""
    serve(app, (projects.blueprint, runs.blueprint, evaluations.blueprint))
