"""How a run came to be, in the forms that other tools read."""

import tempfile
from typing import Literal

from flask import Response, jsonify, send_file
from pydantic import BaseModel, ConfigDict, Field

from app.api.v1.entrance import make_blueprint
from app.api.v1.models import RunPath
from app.archive.artifacts import bundle_zip
from app.current import installation
from app.exports import BUNDLE, PROV_JSON, RO_CRATE, subject_of, text_of, zip_crate
from provenance.export.crate_files import Taken
from provenance.export.run_facet import RUN_FACET_SCHEMA

blueprint = make_blueprint("api_exports")
_MEDIA = {PROV_JSON: "application/json"}


class ExportQuery(BaseModel):
    """How to export a run."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["prov-json", "ro-crate", "openlineage", "bundle"]
    without_data: bool = Field(
        False, description="A crate without outputs of stages and files of the report."
    )


@blueprint.get("/runs/<string:run_id>/export")
def export_run(path: RunPath, query: ExportQuery) -> Response:
    """Export a run as PROV-JSON, as RO-Crate (a ZIP file), as OpenLineage events, one a line,
    or as a bundle (a ZIP file that `provenote verify` checks without an archive).
    """
    if query.format == BUNDLE:
        return bundle_zip(path.run_id)
    subject = subject_of(installation(), path.run_id)
    if query.format != RO_CRATE:
        media = _MEDIA.get(query.format, "application/x-ndjson")
        return Response(text_of(subject, query.format), mimetype=media)
    # Not closed here: the server closes it when it has sent it, and then it is gone.
    stream = tempfile.TemporaryFile()  # noqa: SIM115
    zip_crate(installation(), subject, stream, Taken(data=not query.without_data))
    stream.seek(0)
    name = f"{path.run_id}.crate.zip"
    return send_file(stream, "application/zip", as_attachment=True, download_name=name)


@blueprint.get("/schemas/run-facet")
def show_run_facet() -> Response:
    """Show the JSON schema of the facet that provenote adds to OpenLineage run events."""
    return jsonify(RUN_FACET_SCHEMA)
