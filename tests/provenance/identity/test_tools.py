"""What a program is: its place, version and bytes; what R has installed."""

import hashlib
import os
import shutil
import time
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from provenance.identity import asking, tools
from provenance.identity.asking import NoAnswerError, answer, may_be_asked
from provenance.identity.tools import LibraryError, UnknownProgramError, r_packages, tool_facts

SYSTEM = os.defpath


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of programs that comes first on PATH."""
    monkeypatch.setattr(tools, "_tools", {})
    monkeypatch.setattr(tools, "_libraries", {})

    def put(name, text):
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return file

    put.path = f"{tmp_path}:{SYSTEM}"
    put.folder = tmp_path
    return put


def test_a_program_tells_what_it_is(place):
    file = place("tool-1", "echo; echo ' tool 1.0 '; echo b; echo c; echo d")
    (place.folder / "tool").symlink_to(file)
    found = tool_facts("tool", place.path)
    assert found.path == str(file.resolve())
    assert found.version == "tool 1.0\nb\nc"
    assert found.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert found.keyed() == {"path": found.path, "version": found.version, "sha256": found.sha256}


def test_a_program_is_asked_once_until_it_changes(place):
    asked = place.folder / "asked"
    place("tool", f"echo x >> {asked}; echo 1")
    assert {tool_facts("tool", place.path).version for _ in range(3)} == {"1"}
    assert asked.read_text() == "x\n"
    place("tool", f"echo x >> {asked}; echo 2.0")
    assert tool_facts("tool", place.path).version == "2.0"


def test_a_program_that_says_no_version_is_told_by_its_bytes(place):
    file = place("tool", "echo no; exit 3")
    found = tool_facts("tool", place.path)
    assert (found.version, found.sha256) == ("", hashlib.sha256(file.read_bytes()).hexdigest())


def test_a_program_that_does_not_end_is_ended_with_what_it_started(place, monkeypatch):
    monkeypatch.setattr(asking, "_SECONDS", 2)
    monkeypatch.setattr(asking, "_PATIENCE", 1)
    child = place.folder / "child"
    place("tool", f"sleep 600 & echo $! >> {child}; wait")
    with pytest.raises(NoAnswerError, match=r"tool did not end within 2 s .*--version"):
        tool_facts("tool", place.path)
    children = child.read_text().split()
    assert len(children) == 2, "it is asked once more"
    assert all(is_gone(int(pid)) for pid in children)


def test_what_a_busy_machine_kept_from_answering_is_asked_again(place, monkeypatch):
    busy = place.folder / "busy"
    busy.touch()
    place("tool", f"[ -e {busy} ] && sleep 600; echo 1.0")
    with monkeypatch.context() as impatient:
        impatient.setattr(asking, "_SECONDS", 0.1)
        with pytest.raises(NoAnswerError):
            tool_facts("tool", place.path)
        with pytest.raises(NoAnswerError):
            r_packages("tool", place.path, ["stats"])
    busy.unlink()
    assert tool_facts("tool", place.path).version == "1.0"


def test_a_slow_answer_counts_at_the_second_time(place, monkeypatch):
    waited = []

    def slow(argv, path, most, seconds):
        waited.append(seconds)
        if len(waited) == 1:
            raise TimeoutExpired(argv, seconds)
        return answer(argv, path, most, seconds)

    monkeypatch.setattr(asking, "answer", slow)
    place("tool", "echo 1.0")
    assert tool_facts("tool", place.path).version == "1.0"
    assert waited[1] > waited[0]


def is_gone(pid):
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_a_program_sees_nothing_of_ours_and_leaves_nothing(place, monkeypatch):
    for name in ("PROVENOTE_SECRET_KEY", "HTTPS_PROXY", "SSH_AUTH_SOCK", "GIT_ASKPASS", "NETRC"):
        monkeypatch.setenv(name, "canary")
    place("tool", "env | grep -c canary; cat | wc -c; echo $PWD $HOME $TMPDIR; ls -A; touch left")
    zero, none, folders, *more = tool_facts("tool", place.path).version.split("\n")
    assert (zero, none, more) == ("0", "0", [])
    current, home, temporary = folders.split()
    assert current == home == temporary
    assert home not in (str(Path.cwd()), str(Path.home()), "/")
    assert not Path(home).exists()


def test_the_folder_that_a_program_is_asked_in_is_ours_alone(place):
    place("tool", "stat -c '%a %u' .")
    assert tool_facts("tool", place.path).version == f"700 {os.getuid()}"


def test_a_program_that_prints_without_end_fills_no_disk(place, monkeypatch):
    monkeypatch.setattr(asking, "_LARGEST_FILE", 1 << 20)
    place("tool", "sleep 0.2; exec yes")
    # It was ended by the size of what it printed: by time, it would be an error.
    assert tool_facts("tool", place.path).version == ""


def test_a_program_that_cannot_be_executed_is_told_by_its_bytes(place):
    file = place.folder / "tool"
    file.write_bytes(b"\x7fELF no program")
    file.chmod(0o755)
    found = tool_facts("tool", place.path)
    assert (found.version, len(found.sha256)) == ("", 64)


@pytest.mark.parametrize("way", ["absolute", "by PATH", "linked"])
def test_a_program_among_users_files_is_never_executed(place, tmp_path_factory, way):
    checkout = tmp_path_factory.mktemp("checkout")
    asked = place.folder / "asked"
    file = checkout / "tool"
    file.write_text(f"#!/bin/sh\ntouch {asked}; echo 1\n")
    file.chmod(0o755)
    program, path = str(file), place.path
    if way == "by PATH":
        program, path = "tool", f"{checkout}:{path}"
    elif way == "linked":
        program = "tool"
        (place.folder / "tool").symlink_to(file)
    found = tool_facts(program, path, [checkout])
    assert not asked.exists()
    assert (found.version, found.path) == ("", str(file))
    assert found.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(LibraryError, match="is not asked"):
        r_packages(program, path, ["stats"], users=[checkout])
    assert not asked.exists()
    # It was told without being asked: that is no answer for who may ask it.
    assert tool_facts(program, f"{checkout}:{path}").version == "1"


def test_a_program_that_others_may_have_put_there_is_not_executed(place):
    folder = place.folder / "open"
    folder.mkdir()
    asked = place.folder / "asked"
    file = place("open/tool", f"touch {asked}; echo 1")
    assert may_be_asked(str(file), f"{folder}:{SYSTEM}")
    folder.chmod(0o777)
    assert tool_facts(str(file), SYSTEM).version == ""
    assert not asked.exists()
    assert tool_facts("/bin/sh", "/usr/local/bin").sha256
    assert may_be_asked("/bin/sh", "/usr/local/bin")


def test_a_file_replaced_under_its_old_time_is_looked_at_again(place):
    file = place("tool", "echo 1")
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    assert tool_facts("tool", place.path).version == "1"
    place("tool", "echo 2")
    os.utime(file, ns=times)
    assert tool_facts("tool", place.path).version == "2"


@pytest.mark.parametrize("program", ["no-such-program", "", "bin/tool", "./tool"])
def test_a_program_that_is_not_installed_is_an_error_with_words(place, program, monkeypatch):
    place("tool", "echo 1")
    monkeypatch.chdir(place.folder)
    with pytest.raises(UnknownProgramError, match="There is no program") as error:
        tool_facts(program, place.path)
    assert program in str(error.value)
    assert "Install it" in error.value.hint


@pytest.fixture
def library(place):
    """An R that has one library, whose packages are laid down by hand."""
    folder = place.folder / "library"
    place("Rscript", f"echo; echo {folder}")

    def install(name, version="1.0", needs="", built="today"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "DESCRIPTION").write_text(
            f"Package: {name}\nVersion: {version}\nImports: methods,\n    {needs}\n"
            f"Depends: R (>= 3.5)\nBuilt: {built}\n"
        )

    install.versions = lambda *names, **more: r_packages("Rscript", place.path, names, **more)
    return install


def test_packages_are_found_with_what_they_need(library):
    library("dplyr", "1.1.4", "rlang (>= 1.0), tibble")
    library("rlang", "1.2")
    library("tibble", "3.0", "rlang")
    library("other")
    found = library.versions("dplyr", "stats", "../x")
    assert list(found) == ["dplyr", "rlang", "tibble"]
    assert found["dplyr"].startswith("1.1.4 record:")
    assert list(library.versions(everything=True)) == ["dplyr", "other", "rlang", "tibble"]


def test_an_upgrade_counts_and_another_day_of_installation_does_not(library):
    library("dplyr", "1.0", "rlang")
    library("rlang", "1.0")
    before = library.versions("dplyr")
    library("rlang", "1.0", built="tomorrow")
    assert library.versions("dplyr") == before
    library("rlang", "1.1")
    assert library.versions("dplyr") != before


def test_an_r_that_does_not_start_is_an_error(place):
    place("Rscript", "exit 1")
    with pytest.raises(LibraryError, match="does not say where its packages lie"):
        r_packages("Rscript", place.path, ["dplyr"])


@pytest.mark.skipif(not shutil.which("Rscript", path=SYSTEM), reason="R is not installed")
def test_the_r_of_this_machine(place):
    assert "R" in tool_facts("Rscript", SYSTEM).version
    assert "stats" in r_packages("Rscript", SYSTEM, ["stats"])


@pytest.mark.skipif(not shutil.which("octave-cli", path=SYSTEM), reason="Octave is not installed")
def test_the_octave_of_this_machine(place):
    assert tool_facts("octave-cli", SYSTEM).version.startswith("GNU Octave, version")
