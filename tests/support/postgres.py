"""A private PostgreSQL server, from Debian's binaries, that tests may do anything with."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_START_SECONDS = 30.0


def postgresql_binaries() -> Path | None:
    """Return the folder with the newest server's programs, where there is one."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    return newest.parent if newest else None


@contextmanager
def postgresql_server(binaries: Path, **more: str) -> Iterator[str]:
    """Run a server on a free loopback port and give its address, without a database.

    *more* are settings of it, beside those that no private server can do without.
    """
    # Not below pytest's folder: that one is closed to the user whom the server runs as.
    home = Path(tempfile.mkdtemp(prefix="provenote-pg-", dir="/tmp"))
    try:
        options = _as_postgres(home)
        data, port = home / "data", _free_port()
        initialise = [binaries / "initdb", "--auth=trust", "--username=tests", "--no-sync", data]
        subprocess.run(initialise, check=True, capture_output=True, timeout=120, **options)
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": "200",
            **more,
        }
        command = [binaries / "postgres", "-D", data, "-p", str(port)]
        command += [word for item in settings.items() for word in ("-c", "=".join(item))]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, **options)
        try:
            _wait_for(port, server, home / "log")
            yield f"postgresql+psycopg://tests@127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _as_postgres(home: Path) -> dict[str, Any]:
    """The server refuses to be root, so then it gets the user that its package made."""
    if os.geteuid() != 0:
        return {"cwd": home}
    shutil.chown(home, "postgres", "postgres")
    return {"cwd": home, "user": "postgres", "group": "postgres", "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="tests", dbname="postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
