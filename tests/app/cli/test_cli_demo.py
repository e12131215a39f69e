"""``provenote demo``: a second call may ask where the demo is, and changes nothing."""

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
