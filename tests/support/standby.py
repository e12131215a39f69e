"""A streaming standby of a private PostgreSQL server."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.support.postgres import _as_postgres, _free_port, _wait_for

_COPIED = ("-R", "--checkpoint=fast", "--no-sync")
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "max_connections": "200",
    "max_standby_streaming_delay": "0",
}


@contextmanager
def standby_of(primary: str, binaries: Path) -> Iterator[str]:
    """Copy the server at *primary*, let the copy follow it, and give the copy's address."""
    # Not below pytest's folder: that one is closed to the user whom the server runs as.
    home = Path(tempfile.mkdtemp(prefix="provenote-pg-", dir="/tmp"))
    try:
        options, port = _as_postgres(home), _free_port()
        copy = [binaries / "pg_basebackup", "-D", home / "data", *_COPIED]
        copy += ["-h", "127.0.0.1", "-p", str(make_url(primary).port), "-U", "tests"]
        subprocess.run(copy, check=True, capture_output=True, timeout=120, **options)
        command = [binaries / "postgres", "-D", home / "data", "-p", str(port)]
        command += [word for item in _SETTINGS.items() for word in ("-c", "=".join(item))]
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
