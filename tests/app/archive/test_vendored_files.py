import base64
import hashlib
import re

from app.web.pages import STATIC

VENDOR = STATIC / "vendor"


def test_vendored_files_are_those_of_the_list():
    listed = dict(
        re.findall(
            r"^\| `([^`]+)` \|.*\| `([\w+/=]{64})` \|$", (VENDOR / "VERSIONS.md").read_text(), re.M
        )
    )
    found = {path.name for path in VENDOR.iterdir()} - {"VERSIONS.md"}
    assert {name for name in found if "LICENSE" not in name} == set(listed)
    for name, expected in listed.items():
        digest = hashlib.sha384((VENDOR / name).read_bytes()).digest()
        assert base64.b64encode(digest).decode() == expected, name
