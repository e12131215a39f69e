"""The HTML page of a run, made in the runner."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipeline.rendering.colophon import Colophon
from pipeline.rendering.render import Rendered, render_report, warm_up
from pipeline.rendering.transplant import transplant

PAGE, ANEW, PARTS = "report.html", "anew.ipynb", "parts"


def render_page(job: dict[str, Any]) -> dict[str, Any]:
    """Render the notebook that *job* names (a RenderJob) and return where the page lies.

    With a template, its prose is put around the notebook's outputs first: that is a new
    notebook, whose place is returned too.
    """
    workplace, notebook = Path(job["workplace"]), Path(job["notebook"])
    anew = workplace / ANEW if job["template"] is not None else None
    if anew is not None:
        template = json.loads(Path(job["template"]).read_bytes())
        cells = transplant(template, json.loads(notebook.read_bytes()))
        anew.write_text(json.dumps(cells, indent=1, ensure_ascii=False), encoding="utf-8")
    colophon = _colophon().validate_python(job["colophon"])
    rendered = render_report((anew or notebook).read_bytes(), colophon, job["record"])
    target = workplace / PAGE
    target.write_text(rendered.html, encoding="utf-8")
    return {
        "html": str(target),
        "notebook": str(anew) if anew else None,
        "parts": _lay_parts(workplace / PARTS, rendered),
        "assets": list(rendered.assets),
    }


def prepare() -> None:
    """Do beforehand what makes the first page of a process slow: imports, templates, lexers.

    It takes a few tenths of a second, and may go on in a thread while cells are executed.
    """
    _colophon()
    warm_up()


@cache
def _colophon() -> TypeAdapter[Colophon]:
    return TypeAdapter(Colophon)


def _lay_parts(folder: Path, rendered: Rendered) -> list[str]:
    """Write what belongs to the page as files, and return where they lie."""
    folder.mkdir(exist_ok=True)
    for part, content in rendered.parts:
        (folder / part.sha256).write_bytes(content)
    return sorted({str(folder / part.sha256) for part, _ in rendered.parts})
