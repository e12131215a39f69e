"""The addresses of the archive, as one table of contents."""

from flask import Blueprint, Flask, abort, request

from app.archive import (
    artifacts,
    compare,
    data_buttons,
    datasets,
    deleting,
    environment_buttons,
    environments,
    evaluation,
    explain,
    feed,
    figures,
    home,
    live,
    models,
    notes,
    project,
    report,
    run,
    search,
    stable,
    storage,
    used_by,
)
from app.archive.made_from import other_values

blueprint = Blueprint("archive", __name__)

_PAGES = (
    ("/", "home", home.home),
    ("/search", "search", search.search),
    ("/projects/<project>", "project", project.project),
    ("/projects/<project>/reports/<report>", "report", report.report),
    ("/projects/<project>/reports/<report>/feed.atom", "feed", feed.feed),
    ("/evaluations/<evaluation_id>", "evaluation", evaluation.evaluation),
    ("/runs/<run_id>", "run", run.run),
    ("/runs/<run_id>/live", "live", live.live),
    ("/runs/<run_id>/live/<int:seq>.png", "live_figure", artifacts.live_figure),
    ("/runs/<run_id>/report", "report_html", artifacts.report_html),
    ("/runs/<run_id>/report.pdf", "report_pdf", artifacts.report_pdf),
    ("/runs/<run_id>/bundle", "bundle", artifacts.bundle_zip),
    ("/runs/<run_id>/output/<int:cell>/<part>", "output", artifacts.output),
    ("/assets/<sha256>/<name>", "asset", artifacts.asset),
    ("/runs/<run_id>/figures", "figures", figures.figures),
    ("/runs/<run_id>/figures/<int:number>", "figure", figures.figure),
    ("/figures/<sha256>", "figure_content", artifacts.figure_content),
    ("/figures/<sha256>/thumbnail.svg", "figure_thumbnail", artifacts.figure_thumbnail),
    ("/runs/<run_id>/notebook", "notebook", run.notebook),
    ("/runs/<run_id>/provenance", "provenance", run.provenance),
    ("/runs/<run_id>/log", "log", run.log),
    ("/compare", "compare", compare.compare),
    ("/explain", "explain", explain.explain),
    ("/used-by", "used_by", used_by.used_by),
    ("/datasets", "datasets", datasets.datasets),
    ("/datasets/<dataset>", "dataset", datasets.dataset),
    ("/batches/<batch_id>", "batch", datasets.batch),
    ("/batches/<batch_id>/package", "package", models.package),
    ("/models", "models", models.models),
    ("/models/<model>", "model", models.model),
    ("/environments", "environments", environments.environments),
    ("/environments/<key>", "environment", environments.environment),
    ("/environments/<key>/log", "environment_log", environments.environment_log),
    ("/bin", "bin", deleting.bin_page),
    ("/storage", "storage", storage.storage),
    ("/latest/<project>/<report>", "latest", stable.latest),
    ("/badge/<project>/<report>.svg", "badge", stable.badge),
)

_BUTTONS = (
    ("/datasets/<dataset>/rollback", "roll_back", data_buttons.roll_back),
    ("/datasets/<dataset>/retire", "retire_partition", data_buttons.retire_partition),
    ("/datasets/<dataset>/snapshots", "take_snapshot", data_buttons.take_snapshot),
    ("/batches/<batch_id>/publish", "publish_batch", data_buttons.publish_batch),
    ("/batches/<batch_id>/pin", "pin_batch", data_buttons.pin_batch),
    ("/batches/<batch_id>/unpin", "unpin_batch", data_buttons.unpin_batch),
    ("/models/<model>/rollback", "roll_back_model", data_buttons.roll_back_model),
    ("/runs/<run_id>/tags", "tag_run", notes.tag_run),
    ("/runs/<run_id>/untag", "untag_run", notes.untag_run),
    ("/runs/<run_id>/pin", "pin_run", notes.pin_run),
    ("/runs/<run_id>/unpin", "unpin_run", notes.unpin_run),
    ("/runs/<run_id>/comments", "comment_run", notes.comment_run),
    ("/comments/<comment_id>/remove", "uncomment_run", notes.uncomment_run),
    ("/runs/<run_id>/delete", "delete_run", deleting.delete_run),
    ("/runs/delete", "delete_picked", deleting.delete_picked),
    ("/deletions/<deletion>/undo", "undo_deletion", deleting.undo_deletion),
    ("/storage/measure", "measure", storage.measure),
    ("/projects/<project>/keep", "keep_pages", storage.keep_pages),
    ("/environments/<key>/trust", "trust_kernels", environment_buttons.trust_kernels),
)

for _rule, _endpoint, _view in _PAGES:
    blueprint.add_url_rule(_rule, _endpoint, _view)
for _rule, _endpoint, _button in _BUTTONS:
    blueprint.add_url_rule(_rule, _endpoint, _button, methods=["POST"])


def register(app: Flask) -> None:
    """Give *app* the pages of the archive."""
    app.jinja_env.globals["other_values"] = other_values
    app.jinja_env.globals["just_deleted"] = deleting.just_deleted
    app.jinja_env.filters["printed"] = live.printed
    app.register_blueprint(blueprint)


@blueprint.before_request
def _refuse_unreadable_names() -> None:
    """Answer 404 to names that no ledger can hold; PostgreSQL refuses NUL with an exception."""
    named = [str(value) for value in (request.view_args or {}).values()]
    named += request.form.values()
    if any("\0" in text for text in named):
        abort(404)
    if any("\0" in text for _, text in request.args.items(multi=True)):
        abort(400, "The address holds a NUL character.")
