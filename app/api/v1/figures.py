"""The figures of runs."""

from flask import Response, jsonify
from pydantic import BaseModel, Field

from app.api.v1.entrance import make_blueprint
from app.api.v1.models import RunPath
from app.current import installation
from app.run_object import figure_object
from provenance.ledger.finding import find_run
from provenance.ledger.queries.figures import figures_of

blueprint = make_blueprint("api_figures")


class FigureObject(BaseModel):
    """One figure or table that a run's page shows."""

    id: str = Field(description="`RUN/figures/NUMBER`, as its address below `/runs/` ends.")
    slot: str = Field(description="What the same figure is called at other commits.")
    kind: str = Field(description="`image`, `table`, `plotly` or `vega`.")
    heading: str = Field(description="The heading that it stands below; may be empty.")
    sha256: str = Field(description="Of what it shows: equal digests, equal figures.")
    size: int = Field(description="Bytes of what it shows.")
    media_type: str
    cell: int = Field(description="The number of its cell in the template, from 1.")
    links: dict[str, str] = Field(description="`page`, and `content`: what it shows.")


class FigureList(BaseModel):
    """The figures of a run's page, in their order."""

    total: int | None = Field(
        description="How many the page shows; null until it has been read, soon after the run."
    )
    items: list[FigureObject] = Field(description="The first of them, 1,000 at most.")


@blueprint.get("/runs/<string:run_id>/figures", responses={200: FigureList})
def list_figures(path: RunPath) -> Response:
    """List the figures and tables that a run's page shows."""
    with installation().ledger.reading() as session:
        run = find_run(session, path.run_id)
        found = figures_of(session, run.html)
    items = [figure_object(run.id, one, installation().base_url) for one in found.kept]
    return jsonify({"total": found.total, "items": items})
