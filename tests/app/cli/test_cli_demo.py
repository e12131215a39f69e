"""``provenote demo``: a second call may ask where the demo is, and changes nothing."""

import threading

from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from tests.support.processes import Home


def test_the_demo_keeps_its_hook_unless_an_address_is_given(home: Home) -> None:
    first = home.run("demo", BASE_URL="http://127.0.0.1:8321")
    assert first.status == 0, first.err
    hook = home.path / "demo" / "flights.git" / "hooks" / "post-receive"
    assert "http://127.0.0.1:8321/" in hook.read_text()

    wrong = home.run("demo", BASE_URL="http://127.0.0.1:abc")
    assert wrong.status == 2
    again = home.run("demo")
    assert again.status == 0, again.err
    assert f"A clone to work in: {home.path / 'demo' / 'flights'}" in again.out
    assert "http://127.0.0.1:8321/" in hook.read_text()

    moved = home.run("demo", BASE_URL="http://127.0.0.1:8322")
    assert moved.status == 0, moved.err
    assert "http://127.0.0.1:8322/" in hook.read_text()


def test_a_second_server_leaves_the_pushes_to_the_one_that_is_there(home: Home) -> None:
    server = make_server("127.0.0.1", 0, Response("ok"), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    first = f"http://127.0.0.1:{server.server_port}"
    try:
        assert home.run("demo", BASE_URL=first).status == 0
        second = home.run("demo", BASE_URL="http://127.0.0.1:8322")
    finally:
        server.shutdown()
        server.server_close()
    assert f"Pushes to the demo go on to {first}" in second.err
    hook = home.path / "demo" / "flights.git" / "hooks" / "post-receive"
    assert f"{first}/" in hook.read_text()
    assert home.run("demo", BASE_URL="http://127.0.0.1:8322").status == 0
    assert "http://127.0.0.1:8322/" in hook.read_text()
