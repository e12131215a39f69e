"""A private S3 server for tests, and buckets in it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

CREDENTIALS = {"access_key_id": "test", "secret_access_key": "test", "region": "us-east-1"}


@contextmanager
def s3_server() -> Iterator[str]:
    """Run the server on a free port of the loopback address, and give its own address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def make_bucket(server: str) -> str:
    """Make an empty bucket and return its name."""
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    # Made by hand: the library that is tested knows files in buckets only.
    with urlopen(Request(f"{server}/{name}", method="PUT")) as answer:
        answer.read()
    return name
