"""Everything on one machine: the web server and a worker, started and stopped together."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from types import FrameType
from urllib.error import URLError

import click
from sqlalchemy import func, select

from app.assemble import assemble, make_ready
from app.settings import Settings
from pipeline.installation import Installation
from pipeline.processes import end_with_parent
from provenance.errors import UnavailableError
from provenance.ledger.states import Status
from provenance.ledger.tables import Evaluation, Project, Run

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_DRAIN_SECONDS = 2.0
_TELL_SECONDS = 5.0
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
Children = dict[str, "subprocess.Popen[bytes]"]
_OPEN = (Status.QUEUED, Status.RUNNING)


class PortTakenError(UnavailableError):
    """Raised when somebody else listens on the port already."""

    code = "port_taken"


def serve(settings: Settings, host: str, port: int) -> int:
    """Serve until interrupted, or until one of the two processes ends by itself."""
    _check_port(host, port)
    installation = assemble(settings)
    make_ready(settings, installation)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    children: Children = {}
    # SIGINT as well: a shell lets what it starts in the background ignore it.
    previous = {number: signal.signal(number, _interrupt) for number in _INTERRUPTS}
    try:
        children["web"] = _start("web", "--host", host, "--port", str(port))
        children["worker"] = _start("worker", "--drain", str(_DRAIN_SECONDS))
        _wait_until_serving(address, children)
        click.echo(f"Serving on {_address_of(installation, address)}  (Ctrl-C stops)")
        _follow(installation, address, children)
    except KeyboardInterrupt:
        click.echo("\nStopping …")
        return 0
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        _stop(children)
    return 3


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(
                f"{host}:{port} cannot be listened on: {error.strerror}.",
                "Choose another port: --port 8001, or PORT=8001 make run.",
            ) from error


def _start(*arguments: str) -> "subprocess.Popen[bytes]":
    """Start one of our own commands; in a session of its own, so that Ctrl-C is for us alone.

    Should we be killed, it is asked to end as we would have asked it.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "app", *arguments],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: end_with_parent(signal.SIGTERM),  # noqa: PLW1509 - we have one thread
    )


def _wait_until_serving(address: str, children: Children) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if any(child.poll() is not None for child in children.values()):
            break
        if answers(f"{address}/healthz"):
            return
        time.sleep(0.1)
    raise UnavailableError("The web server did not start.", "Its messages above say why.")


def answers(url: str) -> bool:
    """Tell whether a server of ours is there: whether *url* is answered at all."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - an address of our own
            return True
    except (URLError, OSError):
        return False


def _follow(installation: Installation, address: str, children: Children) -> None:
    """Tell how far the queue is, until a child ends; be quiet when there is nothing to tell."""
    told = 0.0
    had_work = False
    while all(child.poll() is None for child in children.values()):
        left = _left(installation)
        if left and time.monotonic() - told > _TELL_SECONDS:
            click.echo(f"Evaluating: {left}")
            told = time.monotonic()
        elif had_work and not left:
            click.echo(f"All is evaluated. Look at it: {_address_of(installation, address)}")
        had_work = bool(left)
        time.sleep(1.0)
    for name, child in children.items():
        if child.poll() is not None:
            ended = f"The {name} process ended by itself (status {child.returncode})."
            click.echo(f"{ended} Its messages above say why.", err=True)


def _address_of(installation: Installation, address: str) -> str:
    """Return the page to look at first: the project's, where there is only one."""
    with installation.ledger.reading() as session:
        names = session.scalars(select(Project.name).limit(2)).all()
    return f"{address}/projects/{names[0]}" if len(names) == 1 else address


def _left(installation: Installation) -> str:
    """Return in words how many runs and evaluations wait or are under way; empty for none."""
    with installation.ledger.reading() as session:
        waiting = session.scalar(
            select(func.count()).where(Evaluation.status.in_(_OPEN), ~Evaluation.prepared)
        )
        runs = session.scalar(select(func.count()).where(Run.status.in_(_OPEN)))
    parts = [f"{_counted(runs, 'run')} left"] if runs else []
    parts += [f"{_counted(waiting, 'commit')} to look at"] if waiting else []
    return ", ".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _stop(children: Children) -> None:
    for child in children.values():
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for child in children.values():
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
