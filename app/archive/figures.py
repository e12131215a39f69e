"""The figures of a run: all of them, and one with all that stands behind it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flask import render_template, request
from sqlalchemy.orm import Session

from app.archive.artifacts import NoArtifactError
from app.archive.made_from import made_from
from app.current import installation
from pipeline.drawn import png_extent
from pipeline.step import number_word
from pipeline.table_texts import TableCell, read_table_texts
from provenance.datasets.names import label
from provenance.explain.shown import source_of, tags_of, template_cells
from provenance.ledger.queries.cases import CaseNames, case_names
from provenance.ledger.queries.figures import FigureRow, figures_of, runs_showing
from provenance.ledger.queries.film import neighbours_of
from provenance.ledger.queries.run import RunPage, run_page
from provenance.ledger.queries.runs import RunRow
from provenance.ledger.tables import Evaluation
from provenance.record import Record
from provenance.store import CorruptObjectError, MissingObjectError
from provenance.story import Story, load_story
from provenance.text import readable

MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 200, 40, 500
MOST_FILES, AT_A_TIME = 60, 100
LONGEST_SOURCE = 20_000
LARGEST_NOTEBOOK = 20_000_000
_BANNER = "papermill-error-cell-tag"
"""Tag of the cells that say where a notebook failed; a page leaves them out."""


@dataclass(frozen=True)
class ShownTable:
    """A table as far as a page of ours shows it."""

    rows: list[list[TableCell]]
    total: int
    """How many rows it has."""
    is_cut: bool
    """Whether something of it is left out."""


@dataclass(frozen=True)
class CellShown:
    """The cell that drew a figure; ``anchor`` is its place on the report's page."""

    source: str
    anchor: str


@dataclass(frozen=True)
class Behind:
    """What a figure stands on, beside what the ledger says of its run."""

    batches: dict[str, str]
    """Names of the batches that the report and its stages have read, by their ids."""
    files: list[tuple[str, str]]
    """Files of code with their digests; of a template, whose cells count, none."""
    more_files: int


def figures(run_id: str) -> str:
    """Show the figures of the run's page, a hundred at a time: with ``?from=`` from a later one."""
    with installation().ledger.reading() as session:
        page = _page(session, run_id)
        found = figures_of(session, page.run.html)
    first = min(max(request.args.get("from", 1, type=int), 1), max(len(found.kept), 1))
    return render_template(
        "archive/figures.html",
        page=page,
        tab="figures",
        found=found,
        shown=found.kept[first - 1 : first - 1 + AT_A_TIME],
        at_a_time=AT_A_TIME,
    )


def figure(run_id: str, number: int) -> str:
    """Show one figure: what drew it, what stands behind it, and where else it is the same."""
    before = request.args.get("before") or None
    with installation().ledger.reading() as session:
        page = _page(session, run_id)
        found = figures_of(session, page.run.html).numbered(number)
        evaluation = session.get_one(Evaluation, page.run.evaluation_id)
        rows, older = runs_showing(session, found.sha256, before)
        near = neighbours_of(session, page.run, found.slot)
        made = made_from(session, installation().store, page.run, evaluation)
        names = _names(session, rows)
    return render_template(
        "archive/figure.html",
        page=page,
        tab="figures",
        figure=found,
        at_a_time=AT_A_TIME,
        table=_table(found),
        extent=_extent(found),
        cell=_cell(page.run.notebook, found.cell),
        near=near,
        made=made,
        behind=_behind(run_id),
        rows=[row for row in rows if row.id != run_id],
        case_name=names,
        older=rows[-1].id if older else None,
        before=before,
    )


def _page(session: Session, run_id: str) -> RunPage:
    page = run_page(session, run_id)
    if page.run.html is None:
        raise NoArtifactError(
            f"Run {run_id} has no page, so no figures.", "Its page tells how far it came, and why."
        )
    return page


def _names(session: Session, rows: tuple[RunRow, ...]) -> CaseNames:
    return case_names(session, {(row.project_id, row.report) for row in rows})


def _table(figure: FigureRow) -> ShownTable | None:
    """Return a table as it is shown; None of what is none, and where it is lost."""
    if figure.kind != "table":
        return None
    try:
        rows = read_table_texts(installation().store.read(figure.sha256))
    except (MissingObjectError, CorruptObjectError):
        return None
    shown = [[_short(cell) for cell in row[:MOST_COLUMNS]] for row in rows[:MOST_ROWS]]
    is_cut = len(rows) > MOST_ROWS or any(len(row) > MOST_COLUMNS for row in rows)
    return ShownTable(shown, len(rows), is_cut)


def _short(cell: TableCell) -> TableCell:
    text = readable(cell.text)
    text = text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"
    return TableCell(text, cell.is_head, min(cell.columns, MOST_COLUMNS), min(cell.rows, MOST_ROWS))


def _extent(figure: FigureRow) -> tuple[int, int] | None:
    """Return how large a picture is, where that is known: its place is kept free until it comes."""
    if figure.media_type != "image/png":
        return None
    try:
        with installation().store.open(figure.sha256) as file:
            return png_extent(file.read(24))
    except MissingObjectError:
        return None


def _cell(notebook: str | None, number: int) -> CellShown | None:
    """Return a cell of the template as it was executed; None where its notebook is lost."""
    try:
        with installation().store.open(notebook or "") as file:
            content = json.loads(file.read(LARGEST_NOTEBOOK + 1))
    except (MissingObjectError, ValueError, RecursionError):
        return None
    cell = next((cell for at, cell in template_cells(content) if at == number), None)
    if cell is None:
        return None
    return CellShown(readable(source_of(cell))[:LONGEST_SOURCE], _anchor(content, cell))


def _anchor(notebook: Any, cell: Mapping[str, Any]) -> str:
    """Return where a cell stands on the report's page, which has one with the run's values too."""
    on_page = [
        one for one in notebook["cells"] if isinstance(one, dict) and _BANNER not in tags_of(one)
    ]
    place = next((at for at, one in enumerate(on_page, 1) if one is cell), 0)
    return f"cell-{cell.get('id') or place}"


def _behind(run_id: str) -> Behind:
    with installation().ledger.reading() as session:
        story = load_story(session, installation().store, run_id, whole=False)
    files = list(_files(story))
    batches = dict(islice(_batches(story), MOST_FILES))
    return Behind(batches, files[:MOST_FILES], max(0, len(files) - MOST_FILES))


def _records(story: Story) -> list[Record]:
    return [*([story.report] if story.report else []), *story.stages.values()]


def _batches(story: Story) -> Iterator[tuple[str, str]]:
    """Yield the ids of the batches that a run and its stages have read, with their names."""
    for record in _records(story):
        for told in record.inputs:
            if batch := told.get("batch"):
                kind, *place = (str(told.get(one)) for one in ("kind", "dataset", "partition"))
                yield str(batch), f"{label(kind, *place)} {number_word(kind)} {told.get('number')}"


def _files(story: Story) -> Iterator[tuple[str, str]]:
    """Yield the files of code that a run stands on with their digests, each once."""
    found: dict[str, str] = {}
    for record in _records(story):
        if template := record.code.get("template"):
            found[str(template)] = ""
        for file in record.code.get("files") or ():
            found.setdefault(str(file.get("path")), str(file.get("exact") or ""))
    yield from sorted(found.items())
