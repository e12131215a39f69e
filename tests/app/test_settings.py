"""The settings: read from the environment, each with its type, nothing unknown."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from app.served import remember_address
from app.settings import Settings, SettingsError, as_environment, read_settings
from provenance.files import write_durably


def test_without_variables_everything_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    found = read_settings({})
    assert found.home == Path("/data/provenote")
    assert found.ledger_url == "sqlite:////data/provenote/ledger.sqlite"
    assert found.store_path == Path("/data/provenote/store")
    assert found.workers >= 2
    assert not found.allow_file_repositories


def test_links_lead_to_where_the_home_was_served_last_unless_an_address_is_set(
    tmp_path: Path,
) -> None:
    there = {"PROVENOTE_HOME": str(tmp_path)}
    assert read_settings(there).base_url == "http://127.0.0.1:8000"
    remember_address(tmp_path, "http://127.0.0.1:8123")
    remember_address(tmp_path, "http://127.0.0.1:8124")
    assert read_settings(there).base_url == "http://127.0.0.1:8124"
    for odd in (b"nowhere", b"\xff\xfe", b"ftp://x", b""):
        write_durably(tmp_path / "address", odd)
        assert read_settings(there).base_url == "http://127.0.0.1:8000"
    (tmp_path / "address").unlink()
    (tmp_path / "address").mkdir()
    assert read_settings(there).base_url == "http://127.0.0.1:8000"
    remember_address(tmp_path, "http://127.0.0.1:8125")  # is no reason to serve nothing
    own = there | {"PROVENOTE_BASE_URL": "https://reports.example.org"}
    assert read_settings(own).base_url == "https://reports.example.org"


def test_variables_are_read_with_the_types_of_the_settings() -> None:
    found = read_settings(
        {
            "PROVENOTE_HOME": "~/reports",
            "PROVENOTE_WORKERS": "3",
            "PROVENOTE_LEASE_SECONDS": "1.5",
            "PROVENOTE_ALLOW_FILE_REPOSITORIES": "1",
            "PROVENOTE_STORE_URL": "file:///srv/store",
            "PROVENOTE_DATABASE_URL": "postgresql+psycopg://db/provenote",
            "PATH": "/bin",
        }
    )
    assert found.home == Path.home() / "reports"
    assert (found.workers, found.lease_seconds) == (3, 1.5)
    assert found.allow_file_repositories
    assert found.store_path == Path("/srv/store")
    assert found.ledger_url == "postgresql+psycopg://db/provenote"


@pytest.mark.parametrize(
    ("url", "bucket", "folder"),
    [("", False, "store"), ("s3://archive/x", True, "copies"), ("s3://archive", True, "copies")],
)
def test_artifacts_lie_in_a_folder_or_in_a_bucket(url: str, bucket: bool, folder: str) -> None:
    found = read_settings({"PROVENOTE_HOME": "/home/x", "PROVENOTE_STORE_URL": url})
    assert (found.store_in_bucket, found.store_path) == (bucket, Path("/home/x") / folder)


@pytest.mark.parametrize("url", ["ftp://archive", "store", "s3:/archive", "s3://", "file://store"])
def test_another_address_of_the_store_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"expected file:///… or s3://bucket/prefix"):
        _ = read_settings({"PROVENOTE_STORE_URL": url}).store_path


def test_a_relative_home_is_the_same_place_from_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings({"PROVENOTE_HOME": "reports"}).home == Path.cwd() / "reports"


def test_what_our_own_code_sets_for_users_code_is_no_unknown_setting() -> None:
    read_settings({"PROVENOTE_CONTEXT": "/c.json", "PROVENOTE_ATTEMPT": "a"})


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("PROVENOTE_WORKER", "2", "Did you mean PROVENOTE_WORKERS?"),
        ("PROVENOTE_", "2", "lists all settings"),
        ("PROVENOTE_WORKERS", "2.5", "PROVENOTE_WORKERS='2.5'"),
        ("PROVENOTE_WORKERS", "", "PROVENOTE_WORKERS=''"),
        ("PROVENOTE_RUN_SECONDS", "an hour", "valid number"),
        ("PROVENOTE_BASE_URL", "http://127.0.0.1:abc", "such as http://127.0.0.1:8000"),
        ("PROVENOTE_BASE_URL", "reports.example.org", "expected an address"),
        ("PROVENOTE_BASE_URL", "http://", "expected an address"),
        ("PROVENOTE_BASE_URL", "http://x/\n", "expected an address"),
    ],
)
def test_what_is_unknown_or_malformed_is_refused(variable: str, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words.replace("?", r"\?")):
        read_settings({variable: text})


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PROVENOTE_WORKERS", "0"),
        ("PROVENOTE_WORKERS", "-1"),
        ("PROVENOTE_WEB_THREADS", "0"),
        ("PROVENOTE_LEASE_SECONDS", "0"),
        ("PROVENOTE_LEASE_SECONDS", "nan"),
        ("PROVENOTE_RUN_SECONDS", "-5"),
    ],
)
def test_a_number_with_which_nothing_would_work_is_refused(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read_settings({variable: text})


def test_another_process_reads_the_same_settings_from_the_variables_it_is_given() -> None:
    told = {
        "PROVENOTE_HOME": "/srv/reports",
        "PROVENOTE_LEASE_SECONDS": "1.5",
        "PROVENOTE_MEMORY": "4 GB",
        "PROVENOTE_ALLOW_FILE_REPOSITORIES": "1",
        "PROVENOTE_NETWORK": "0",
        "PROVENOTE_ISOLATION": "none",
    }
    for settings in (read_settings(told), read_settings({})):
        assert read_settings(as_environment(settings)) == settings


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().workers = 1  # type: ignore[misc]


def test_sizes_are_read_as_people_say_them() -> None:
    told = {"PROVENOTE_MEMORY": "4 GB", "PROVENOTE_DISK": "512 MiB", "PROVENOTE_OUTPUT": "1000"}
    found = read_settings(told)
    assert (found.memory, found.disk, found.output) == (4 * 10**9, 512 * 1024**2, 1000)


def test_what_is_no_size_is_refused_with_one() -> None:
    with pytest.raises(SettingsError, match="PROVENOTE_MEMORY='much': found 'much', expected a"):
        read_settings({"PROVENOTE_MEMORY": "much"})


def test_by_default_one_job_may_not_have_all_of_the_memory() -> None:
    memory = Path("/proc/meminfo").read_text().split("MemTotal:")[1].split()[0]
    assert 0 < read_settings({}).memory < int(memory) * 1024
