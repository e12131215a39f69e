"""Runs whose reports are drawn, kept as the runner keeps them."""

from pathlib import Path

from pipeline.rendering.assets import keep_asset
from pipeline.rendering.render import render_report
from provenance.ledger.tables import Run
from tests.app.archive.maker import Maker
from tests.pipeline.report_pages import colophon

DRAWN = Path(__file__).parents[2] / "pipeline" / "drawn"


def drawn(name: str) -> bytes:
    """Return a notebook that the real packages made."""
    return (DRAWN / f"{name}.ipynb").read_bytes()


def keep_report(maker: Maker, notebook: bytes, **values: object) -> Run:
    """Render *notebook*, and keep its page with all that it leads to."""
    rendered = render_report(notebook, colophon(), {"name": "run"})
    store = maker.installation.store
    for _, content in rendered.parts:
        store.put_bytes(content)
    for asset in rendered.assets:
        keep_asset(store, asset)
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    return maker.run(evaluation, html=maker.keep(rendered.html.encode()), **values)
