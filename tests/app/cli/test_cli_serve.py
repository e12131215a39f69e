"""Where the pages are served: what is refused, and in which words."""

import socket

import pytest

from tests.support.processes import Home, free_port


@pytest.mark.parametrize("command", ["serve", "web"])
def test_nothing_but_the_loopback_interface_is_served(home: Home, command: str) -> None:
    for host in ("0.0.0.0", "192.0.2.1", "::", "reports.example.org"):
        done = home.run(command, "--host", host, "--port", str(free_port()))
        assert done.status == 2
        assert f"--host {host} would serve to a network" in done.err
        assert "reverse proxy" in done.err
        assert "Traceback" not in done.err


def test_a_taken_port_is_told_with_what_to_do(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = home.run("serve", "--port", str(port))
    assert done.status == 3
    assert f"127.0.0.1:{port} cannot be listened on" in done.err
    assert "--port" in done.err
    assert "Traceback" not in done.err
    assert home.is_quiet()


def test_a_port_that_is_no_number_is_wrong_usage(home: Home) -> None:
    done = home.run("serve", "--port", "http")
    assert done.status == 2
    assert "'http' is not a valid integer" in done.err
