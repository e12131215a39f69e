"""A run that was really made is exported, and read by the libraries of the formats."""

import json
import zipfile

import pytest
from prov.model import ProvActivity, ProvDocument
from rocrate.rocrate import ROCrate

from tests.app.test_printing import needs_chromium
from tests.support.processes import Home


@pytest.fixture(scope="module")
def run_id(used_desk) -> str:
    asked = used_desk("ledger", "query", "SELECT run FROM v_runs", "--json")
    ((found,),) = json.loads(asked.out)["rows"]
    return found


def test_prov_json_goes_to_standard_output(used_desk, run_id):
    done = used_desk("export", run_id, "--format", "prov-json")
    assert (done.status, done.err) == (0, "")
    document = ProvDocument.deserialize(content=done.out, format="json")
    kinds = [str(found.label) for found in document.get_records(ProvActivity)]
    assert sorted(kinds) == ["report quick", "stage count", "tides/quick"]


def test_open_lineage_events_go_into_a_file(used_desk, run_id, tmp_path):
    target = tmp_path / "events.jsonl"
    done = used_desk("export", run_id, "--format", "openlineage", "-o", str(target))
    assert (done.status, done.out) == (0, "")
    assert "events.jsonl written" in done.err
    events = [json.loads(line) for line in target.read_text().splitlines()]
    assert [event["job"]["name"] for event in events] == [
        "tides.quick", "tides.quick.count", "tides.quick.count", "tides.quick",
    ]  # fmt: skip
    assert events[-1]["run"]["facets"]["provenote"]["metrics"][0]["name"] == "waves"
    assert {found["name"] for found in events[1]["outputs"]} == {"tides/count/output"}


def test_a_crate_is_a_folder_or_a_zip_file(used_desk, run_id, tmp_path):
    folder, zipped = tmp_path / "crate", tmp_path / "crate.zip"
    done = used_desk("export", run_id, "--format", "ro-crate", "--output", str(folder))
    assert done.status == 0, done.err
    crate = ROCrate(folder)
    assert crate.mainEntity["programmingLanguage"]["name"] == "provenote manifest"
    assert (folder / "report.html").is_file()
    assert (folder / "stages/count/output.txt").read_text() == "tide "
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert f"written: {len(written)} files." in done.err
    small = ("--without-data", "-o", str(zipped))
    done = used_desk("export", "latest", "--format", "ro-crate", *small)
    assert "without stages/count/output.txt: left out as asked for" in done.err
    with zipfile.ZipFile(zipped) as archive:
        assert "report.html" in archive.namelist()
        assert "stages/count/output.txt" not in archive.namelist()


def test_a_crate_is_not_mixed_with_what_a_folder_holds(used_desk, run_id, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    done = used_desk("export", run_id, "--format", "ro-crate", "-o", str(tmp_path))
    assert done.status == 2
    assert "is not empty" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_target_that_cannot_be_written_is_told(used_desk, run_id, tmp_path):
    target = tmp_path / "nowhere" / "events.jsonl"
    done = used_desk("export", run_id, "--format", "openlineage", "-o", str(target))
    assert done.status == 2
    assert "cannot be written: No such file or directory" in done.err


def test_only_events_are_sent_somewhere(used_desk, run_id):
    done = used_desk("export", run_id, "--format", "prov-json", "--to", "http://localhost/x")
    assert done.status == 2
    assert "--to sends OpenLineage events" in done.err


def test_a_collector_that_is_not_there_is_an_error_while_running(used_desk, run_id):
    to = ("--to", "http://127.0.0.1:9/api/v1/lineage")
    done = used_desk("export", run_id, "--format", "openlineage", *to)
    assert done.status == 3
    assert "did not take event 1 of 4" in done.err


def test_an_unknown_run_or_format_is_told(used_desk):
    assert used_desk("export", "run_nothing", "--format", "prov-json").status == 2
    done = used_desk("export", "run_nothing", "--format", "docx")
    assert done.status == 2
    assert "'prov-json', 'ro-crate', 'openlineage', 'bundle', 'html', 'pdf'" in done.err


def test_the_report_is_exported_as_one_file(used_desk, run_id, tmp_path):
    target = tmp_path / "report.html"
    done = used_desk("export", run_id, "--format", "html", "-o", str(target))
    assert (done.status, done.out) == (0, "")
    assert f"{target} written." in done.err
    page = target.read_text()
    assert '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';' in page
    assert "application/ld+json" in page


def test_a_bundle_and_a_page_are_verified_where_there_is_no_archive(used_desk, run_id, tmp_path):
    target, page = tmp_path / "taken.zip", tmp_path / "report.html"
    done = used_desk("export", "latest", "--format", "bundle", "-o", str(target))
    assert (done.status, done.out) == (0, "")
    assert "taken.zip written: 5 files." in done.err
    assert used_desk("export", run_id, "--format", "html", "-o", str(page)).status == 0
    elsewhere = Home(tmp_path / "elsewhere")
    told = elsewhere.run("verify", str(target), str(page))
    assert told.status == 0, told.err
    assert "Checked: 1 bundles, 4 files, 2 records, 3 keys, 2 pages, 1 notebooks" in told.out
    assert "Their data is not here" in told.out
    assert told.out.rstrip().endswith("All is as it was written.")
    altered = page.read_text().replace("Quick", "Quiet", 1)
    page.write_text(altered)
    changed = elsewhere.run("verify", str(page), "--json")
    assert (changed.status, changed.json["clean"]) == (1, False)
    assert changed.json["problems"][0]["what"] == "changed"
    target.write_bytes(target.read_bytes()[:-9])
    broken = elsewhere.run("verify", str(target))
    assert (broken.status, broken.out) == (2, "")
    assert "is no bundle: it is no whole ZIP file" in broken.err
    assert not elsewhere.path.exists()


@pytest.mark.browser
@needs_chromium
def test_the_report_is_exported_as_pdf(used_desk, tmp_path):
    target = tmp_path / "report.pdf"
    done = used_desk("export", "latest", "--format", "pdf", "-o", str(target))
    assert done.status == 0, done.err
    assert target.read_bytes().startswith(b"%PDF-")
