"""A Python outside of the project's environment: what it has installed, and when that is old."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provenance.identity import asking, python_outside
from provenance.identity.asking import NoAnswerError
from provenance.identity.python_outside import outside_facts
from provenance.identity.tools import tool_facts


class Outside:
    """A Python that comes first on a path of its own, asked for what it has installed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked = 0
        self.path = f"{root / 'bin'}:{os.defpath}"
        making = [sys.executable, "-m", "venv", "--without-pip", "--symlinks", root]
        subprocess.run(making, check=True)
        (self.site,) = root.glob("lib/python*/site-packages")

    def count(self, argv: list[str], path: str, most: int) -> str | None:
        self.asked += 1
        return asking.ask(argv, path, most)

    def install(self, version: str, site: Path | None = None) -> None:
        site = site or self.site
        for old in site.glob("numpy-*"):
            (old / "METADATA").unlink()
            old.rmdir()
        info = site / f"numpy-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: Numpy\nVersion: {version}\n")

    def versions(self, program: str = "python3") -> list[str]:
        found = outside_facts(program, self.path)
        assert found is not None
        return [entry.version for entry in found.distributions if entry.name == "numpy"]


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outside:
    monkeypatch.setattr(python_outside, "_known", {})
    made = Outside(tmp_path / "python")
    monkeypatch.setattr(python_outside, "ask", made.count)
    return made


def test_it_is_asked_once_until_something_is_installed(outside: Outside) -> None:
    assert outside.versions() == outside.versions() == []
    assert outside.asked == 1
    for version in ("1.0", "2.0"):
        outside.install(version)
        assert outside.versions() == outside.versions() == [version]
    assert outside.asked == 3


def test_it_is_not_asked_where_it_may_not_be(outside: Outside) -> None:
    outside.install("1.0")
    assert outside_facts("python3", outside.path, [outside.root]) is None
    assert outside_facts("no-such-python", outside.path) is None
    assert tool_facts("python3", outside.path, [outside.root]).version == ""
    assert outside.asked == 0


@pytest.mark.parametrize("place", ["lib64/python3.11/site-packages", "lib/pypy3.9/site-packages"])
def test_an_upgrade_counts_wherever_it_imports_from(
    outside: Outside, tmp_path: Path, place: str
) -> None:
    site = tmp_path / "usr" / place
    site.mkdir(parents=True)
    (outside.site / "more.pth").write_text(f"{site}\n")
    outside.install("1.0", site)
    assert outside.versions() == outside.versions() == ["1.0"]
    assert outside.asked == 1
    outside.install("2.0", site)
    assert outside.versions() == ["2.0"]


def test_a_folder_of_packages_that_is_none_is_no_error(outside: Outside) -> None:
    (outside.site.parent / "odd-packages").write_text("a file")
    (outside.site / "more.pth").write_text(f"{outside.site.parent / 'odd-packages'}\n")
    outside.install("1.0")
    assert outside.versions() == outside.versions() == ["1.0"]


def test_a_shim_is_asked_each_time_as_it_may_choose_another(outside: Outside) -> None:
    other = Outside(outside.root.with_name("other"))
    outside.install("1.0")
    other.install("2.0")
    chosen, shim = outside.root / "version", outside.root / "bin" / "python3.99"
    shim.write_text(f'#!/bin/sh\nexec "$(cat {chosen})/bin/python3" "$@"\n')
    shim.chmod(0o755)
    for one, version in ((outside, "1.0"), (other, "2.0")):
        chosen.write_text(str(one.root))
        assert outside.versions("python3.99") == [version]


def test_a_python_that_does_not_tell_is_no_error_and_asked_again(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    broken = tmp_path / "broken"
    for said in ("exit 1", "echo no", "echo '{}'", "echo '[1]'", "echo '{\"places\": 3}'"):
        broken.touch()
        answering = f'[ -e {broken} ] || exec {sys.executable} "$@"'
        python.write_text(f"#!/bin/sh\n{answering}\n{said}\n")
        python.chmod(0o755)
        path = f"{tmp_path}:{os.defpath}"
        assert outside_facts("python3", path) is None
        broken.unlink()
        assert outside_facts("python3", path) is not None, "it was mended without being touched"


def test_one_that_does_not_answer_in_time_is_asked_again_the_next_time(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, slow = outside.root / "busy", outside.root / "bin" / "python3.99"
    slow.write_text(
        f'#!/bin/sh\n[ -e {busy} ] && sleep 600\nexec {outside.path.split(":")[0]}/python3 "$@"\n'
    )
    slow.chmod(0o755)
    busy.touch()
    with monkeypatch.context() as impatient:
        impatient.setattr(asking, "_SECONDS", 0.1)
        with pytest.raises(NoAnswerError, match="did not end within"):
            outside.versions("python3.99")
    busy.unlink()
    assert outside.versions("python3.99") == []
