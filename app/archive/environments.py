"""The pages of environments: what is in them, how they were built, who was given them."""

from dataclasses import dataclass

from flask import Response, render_template, request

from app.archive.artifacts import NoArtifactError
from app.current import installation
from app.web.filters import Mark
from app.web.headers import sandboxed
from provenance.ledger.environment_tables import EnvironmentBuild
from provenance.ledger.environments import BUILDING, COLLECTED, FAILED, INTERRUPTED, READY
from provenance.ledger.queries.cases import case_names
from provenance.ledger.queries.environments import environment_page
from provenance.ledger.queries.environments import environments as all_environments
from provenance.store import CorruptObjectError, MissingObjectError
from provenance.text import readable

LONGEST_LOG = 200_000
_MARKS = {
    READY: Mark("✓", "ready", "passed"),
    BUILDING: Mark("▸", "building", "running"),
    FAILED: Mark("!", "failed", "error"),
    INTERRUPTED: Mark("–", "interrupted", "idle"),
    COLLECTED: Mark("–", "cleared away", "idle"),
}
_UNBUILT = Mark("·", "not built", "idle")


@dataclass(frozen=True)
class BuildLogView:
    """The end of what was said during a build."""

    build: EnvironmentBuild
    text: str
    cut: bool


def environments() -> str:
    """Show all environments."""
    with installation().ledger.reading() as session:
        found = all_environments(session)
    return render_template("archive/environments.html", rows=found, state_mark=state_mark)


def environment(key: str) -> str:
    """Show one environment: packages, builds, and who was given it."""
    with installation().ledger.reading() as session:
        page = environment_page(session, key)
        names = case_names(session, [(run.project_id, run.report) for run in page.latest])
    return render_template(
        "archive/environment.html",
        page=page,
        found=page.found,
        case_name=names,
        log=_log(page.found.builds),
        state_mark=state_mark,
    )


def environment_log(key: str) -> Response:
    """Send the whole log of a build, the one that ``?build=`` names or else the newest."""
    with installation().ledger.reading() as session:
        builds = environment_page(session, key).found.builds
    wanted = request.args.get("build")
    logs = [one.log for one in builds if one.log and wanted in (None, one.id)]
    if not logs:
        told = f"No log of {'that build' if wanted else 'its builds'} is kept."
        raise NoArtifactError(told, "`provenote gc` lets go of the logs of old builds.")
    response = Response(installation().store.read(logs[0]), content_type="text/plain")
    name = f'attachment; filename="environment-{key[:12]}.log"'
    response.headers["Content-Disposition"] = name if key.isalnum() else "attachment"
    return sandboxed(response, installation().base_url)


def state_mark(state: str) -> Mark:
    """Return the mark of an environment's or a build's state."""
    return _MARKS.get(state, _UNBUILT)


def _log(builds: tuple[EnvironmentBuild, ...]) -> BuildLogView | None:
    """Return the log of the newest build that has one which can be read."""
    for build in builds:
        if build.log is None:
            continue
        try:
            data = installation().store.read(build.log)
        except (MissingObjectError, CorruptObjectError):
            continue
        text = readable(data[-LONGEST_LOG:].decode(errors="replace"))
        return BuildLogView(build, text, len(data) > LONGEST_LOG)
    return None
