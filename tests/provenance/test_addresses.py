"""Addresses are shown without what only their reader may know."""

import pytest

from provenance.addresses import is_ambiguous, without_userinfo


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ada:canary@host/w.git", "https://host/w.git"),
        ("https://token@host:8443/w.git", "https://host:8443/w.git"),
        ("https://ada:can%40ary@host/w.git", "https://host/w.git"),
        ("https://ada:can@ary@host/w.git", "https://host/w.git"),
        ("https://ada:can/ary@host/w.git", "https://host/w.git"),
        ("ssh://git:can/a@ry@host/w.git", "ssh://host/w.git"),
        ("ada:canary@host:w.git", "host:w.git"),
    ],
)
def test_name_and_password_are_left_out(url: str, shown: str) -> None:
    assert without_userinfo(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "git@host:path",
        "git@host:pa@th",
        "https://host/a@b.git",
        "https://host:8443/a:b@c.git",
        "/home/ada/a:b@c",
        "file:///home/ada/a:b@c",
        "weather",
        "",
    ],
)
def test_what_is_no_password_stays(url: str) -> None:
    assert without_userinfo(url) == url
    assert not is_ambiguous(url)


def test_a_password_that_has_to_be_written_otherwise_is_seen() -> None:
    assert is_ambiguous("https://ada:can@ary@host/w.git")
    assert is_ambiguous("https://ada:can/ary@host/w.git")
    assert not is_ambiguous("https://ada:can%40ary%2F@host/w.git")
