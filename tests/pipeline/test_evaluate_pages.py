"""Pages as a run leaves them: with what they lead to in the store, and laid out on disk."""

from collections.abc import Callable
from pathlib import Path

from app.cli.materialise import _lay_page
from app.exports import standalone_page
from pipeline.rendering.assets import asset
from provenance.pages import parts_of
from tests.pipeline.report_pages import Elements
from tests.pipeline.weather import single
from tests.support.evaluations import Bench
from tests.support.repository import Repository, notebook

DRAW = """\
for n in range(3):
    data = base64.b64encode(bytes([n]) * 700_000).decode()
    publish_display_data({"image/png": data})
print("long " * 100_000)
"""
IMPORTS = "import base64\nfrom IPython.display import publish_display_data"


def test_figures_and_libraries_of_a_page_are_kept_and_lie_where_its_links_lead(
    evaluate: Bench, git_project: Callable[..., Repository], tmp_path: Path
) -> None:
    repository = git_project(single(notebook("# Tides $x^2$", IMPORTS, DRAW)))
    run = evaluate(repository).run
    assert run.verdict == "passed"
    parts = parts_of(run.html)
    assert sorted(part.media_type.partition("/")[0] for part in parts.values()) == [
        *("image", "image", "text"),
    ]
    assert all(run.store.has(part.sha256) for part in parts.values())
    assert run.store.has(asset("katex.min.js").sha256)

    page = tmp_path / ".provenote" / "reports" / "daily" / "default.html"
    page.parent.mkdir(parents=True)
    assert run.row.record is not None
    assert run.row.html is not None
    _lay_page(run.store, run.row.record, run.row.html, page)
    elements = Elements(page.read_text())
    links = [one.get("src") or one.get("href") for _, one in elements.found]
    beside = [link for link in links if link and not link.startswith(("#", "data:"))]
    assert len(beside) == 6
    assert all((page.parent / link).is_file() for link in beside)

    alone = standalone_page(evaluate.installation, run.row).decode()
    assert alone.count("data:image/png;base64,") == 3
    assert "../../assets/" not in alone
