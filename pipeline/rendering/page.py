"""The HTML page of a run, made in the runner."""

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipeline.rendering.colophon import Colophon
from pipeline.rendering.render import render_report

PAGE = "report.html"


def render_page(job: dict[str, Any]) -> dict[str, Any]:
    """Render the notebook that *job* names (a RenderJob) and return where the page lies."""
    colophon = TypeAdapter(Colophon).validate_python(job["colophon"])
    html = render_report(Path(job["notebook"]).read_bytes(), colophon, job["record"])
    target = Path(job["workplace"]) / PAGE
    target.write_text(html, encoding="utf-8")
    return {"html": str(target)}
