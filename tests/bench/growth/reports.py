"""Pushes to projects of more and more reports, all of which run."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from app.intake.secrets import sign
from tests.bench.commands import plain_environ, run
from tests.bench.figures import Figure, Table
from tests.bench.folders import commit_all, git, notebook, repository
from tests.bench.place import Place
from tests.bench.runs import instant
from tests.bench.service import ENDED, PROJECT, Client, Service, serving

_SIZES = (1, 10, 100, 500)
_LONGEST, _TOO_LONG, _POLL_SECONDS = 600.0, 150.0, 0.2
_WORDS = (
    "A push of a commit whose manifest has so many reports, each of one cell; from its acceptance "
    "to the end of its evaluation, each once. A size that would take more than "
    f"{_TOO_LONG:.0f} s is left out."
)


def measure(place: Place) -> Iterator[Table]:
    """Measure, and yield the table."""
    folder = place.new("growth-reports")
    project = repository(folder / "project", _files(0, 1))
    found: list[tuple[int, float]] = []
    with serving(folder, place.environments, project) as service:
        _push(service, project, 0, 1)
        for number, size in enumerate(_SIZES, start=1):
            if found and size / found[-1][0] * found[-1][1] > _TOO_LONG:
                place.leave_out(f"{size} reports", f"it would take more than {_TOO_LONG:.0f} s")
                break
            found.append((size, _push(service, project, number, size)))
    figures = [Figure.of(f"{n} report{'s' if n > 1 else ''}", [took]) for n, took in found]
    each = [Figure.of(f"each of {size}", [took / size]) for size, took in found]
    yield Table("k", "As reports grow", tuple(figures), (), _WORDS)
    yield Table("k", "One of these reports", tuple(each), (), "The same, divided.")


def _files(salt: int, reports: int) -> dict[str, str]:
    manifest = ['[project]\nname = "bench"']
    files = {}
    for number in range(reports):
        name = f"r{number}"
        manifest.append(f'[reports.{name}]\ntemplate = "{name}.ipynb"\non = ["push"]')
        files[f"{name}.ipynb"] = notebook([(None, f"print({salt}, {number})")])
    return {**files, "provenote.toml": "\n".join(manifest) + "\n"}


def _push(service: Service, project: Path, salt: int, reports: int) -> float:
    """Push a commit of so many reports, and return the seconds until it is evaluated."""
    for name, text in _files(salt, reports).items():
        (project / name).write_text(text)
    commit_all(project)
    target = str(service.repository)
    run(
        [git(), "push", "--quiet", "--force", target, "HEAD:refs/heads/main"],
        project,
        plain_environ(),
    )
    sha = run([git(), "rev-parse", "HEAD"], project, plain_environ()).stdout.strip()
    client = service.client()
    payload = {"ref": "refs/heads/main", "before": "0" * 40, "after": sha}
    payload |= {"pusher": "bench", "delivery": f"growth-{salt}"}
    body = json.dumps(payload).encode()
    headers = {"Content-Type": "application/json"}
    headers["X-Provenote-Signature"] = sign(service.secret, body)
    answer = client.send("POST", f"/hooks/git/{PROJECT}", body, headers)
    if answer.status != 202:
        raise SystemExit(f"A push was answered {answer.status}: {answer.body!r}")
    return _evaluated(client, answer.json["evaluation"], reports)


def _evaluated(client: Client, evaluation: str, reports: int) -> float:
    deadline = time.monotonic() + _LONGEST
    while time.monotonic() < deadline:
        found = client.api("GET", f"/evaluations/{evaluation}").json
        if found["status"] in ENDED:
            if found["verdict"] != "passed" or len(found["runs"]) != reports:
                raise SystemExit(f"A push of {reports} reports did not pass: {found}")
            ended, began = instant(found["finished_at"]), instant(found["created_at"])
            return (ended - began).total_seconds()
        time.sleep(_POLL_SECONDS)
    raise SystemExit(f"A push of {reports} reports was not evaluated within {_LONGEST:.0f} s.")
