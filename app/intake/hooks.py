"""The hooks: what a forge posts when somebody pushed.

No git command runs in here: a push is written down and answered, a worker does the rest.
"""

from flask import Blueprint, Response, current_app, jsonify, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import RequestEntityTooLarge

from app.current import doorbell, installation, settings
from app.errors import RefusedError
from app.intake.forges.forge import Forge, Ignored
from app.intake.forges.git import Git
from app.intake.forges.github import GitHub
from app.intake.offer import find_project
from app.intake.payload import read_json_object
from app.intake.request import Accepted, accept_push
from app.intake.secrets import is_signed, valid_secrets
from app.json_answers import answer_with_json
from provenance.errors import NotFoundError
from provenance.ledger.tables import Project
from provenance.nearest import listed

FORGES: dict[str, Forge] = {forge.name: forge for forge in (GitHub(), Git())}
_JSON = "application/json"

blueprint = Blueprint("hooks", __name__)
answer_with_json(blueprint)


class UnknownForgeError(NotFoundError):
    """Raised when a hook's address names a forge that provenote does not know."""

    code = "unknown_forge"


@blueprint.record
def _exempt_from_csrf(state: BlueprintSetupState) -> None:
    """Let hooks in without a CSRF token: what they carry is a signature, and no cookie."""
    if (protection := state.app.extensions.get("csrf")) is not None:
        protection.exempt(blueprint)


@blueprint.post("/hooks/<forge_name>/<project_name>")
def receive(forge_name: str, project_name: str) -> tuple[Response, int]:
    """Take one delivery: check it, write it down, answer."""
    forge = _forge(forge_name)
    body = _body()
    project = _project(project_name)
    _check_signature(forge, project, body)
    _check_media_type()
    asked = forge.read(request.headers, read_json_object(body))
    if isinstance(asked, Ignored):
        return jsonify({"status": "ignored", "reason": asked.reason}), 200
    return _accepted(accept_push(installation().ledger, project, asked, doorbell()))


def _forge(name: str) -> Forge:
    if name not in FORGES:
        raise UnknownForgeError(
            f"There are no hooks of {name[:40]!r}.", f"There are: {listed(FORGES)}."
        )
    return FORGES[name]


def _body() -> bytes:
    """Return the raw body; refuse a compressed one unread, a large one while it is read."""
    if "Content-Encoding" in request.headers:
        raise RefusedError(
            415,
            "content_encoding",
            f"The body is encoded as {request.headers['Content-Encoding'][:40]!r}.",
            "Send it plain.",
        )
    most = settings().max_hook_bytes
    # One byte more is let through: a body of unknown length is cut there without a word.
    request.max_content_length = most + 1
    too_large = RefusedError(
        413,
        "too_large",
        f"The body is larger than {most:,} bytes.",
        "The operator may raise PROVENOTE_MAX_HOOK_BYTES.",
    )
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise too_large from None
    if len(body) > most:
        raise too_large
    return body


def _project(name: str) -> Project:
    """Return the project; to a stranger no other name is told where there is none."""
    try:
        return find_project(installation(), name)
    except NotFoundError as error:
        raise RefusedError(404, error.code, f"There is no project {name[:80]!r} here.") from error


def _check_signature(forge: Forge, project: Project, body: bytes) -> None:
    secrets = valid_secrets(str(current_app.secret_key), project.name, project.hook_generation)
    if not is_signed(request.headers.get(forge.signature_header, ""), body, secrets):
        raise RefusedError(
            401,
            "signature",
            f"The header {forge.signature_header} is missing or does not sign this body.",
            "Give the forge the secret that `provenote projects hooks NAME` shows.",
        )


def _check_media_type() -> None:
    if request.mimetype not in ("", _JSON):
        raise RefusedError(
            415,
            "content_type",
            f"The content type is {request.mimetype[:40]!r}, expected {_JSON}.",
            "Choose application/json in the settings of the hook.",
        )


def _accepted(accepted: Accepted) -> tuple[Response, int]:
    page = f"{installation().base_url.rstrip('/')}/evaluations/{accepted.evaluation_id}"
    response = jsonify(
        {
            "status": "accepted",
            "evaluation": accepted.evaluation_id,
            "duplicate": accepted.duplicate,
            "links": {"evaluation": page},
        }
    )
    response.headers["Location"] = page
    return response, 202
