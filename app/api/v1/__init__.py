"""Version 1 of the interface for programs, described at ``/api/v1/openapi.json``."""

from flask import Flask

from app.api.v1 import (
    again,
    batches,
    datasets,
    environments,
    evaluations,
    explain,
    exports,
    figures,
    keeping,
    models_of_data,
    projects,
    runs,
    shares,
)
from app.api.v1.entrance import serve


def register(app: Flask) -> None:
    """Serve the interface below ``/api/v1`` of *app*."""
    of_data = (datasets.blueprint, batches.blueprint, models_of_data.blueprint)
    of_runs = (runs.blueprint, evaluations.blueprint, explain.blueprint, exports.blueprint)
    rest = (again.blueprint, figures.blueprint, environments.blueprint)
    kept = (keeping.blueprint, shares.blueprint)
    serve(app, (projects.blueprint, *of_runs, *rest, *kept, *of_data))
