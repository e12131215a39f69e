"""The guides name everything there is, and what they show is true."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from flask import Flask
from pydantic import BaseModel

import provenote
from app.api.v1.data_models import BatchObject, VersionObject
from app.api.v1.models import RunBody, RunObject, RunsQuery
from app.cli import cli
from app.factory import create_app
from app.settings import PREFIX, Settings
from pipeline.manifest import read_manifest
from pipeline.manifest_parts import data as manifest_data
from pipeline.manifest_parts import limits as manifest_limits
from pipeline.manifest_parts import models as manifest_models
from pipeline.repository.tree import MemoryTree
from pipeline.template_parameters import find_parameters
from pipeline.templates import Cell, builtin_names, read_template
from provenance.ledger.states import Verdict
from provenance.record import Record

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md")])
_LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_TOML = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)

MANIFEST_SECTIONS: dict[type[BaseModel], str] = {
    manifest_models.ProjectSpec: "## `[project]`",
    manifest_models.EnvironmentSpec: "## `[environment]`",
    manifest_limits.LimitsSpec: "## `[limits]`",
    manifest_models.SourceSpec: "## `[sources.NAME]`",
    manifest_models.ParameterSpec: "## `[params.NAME]`",
    manifest_models.StageSpec: "## `[stages.NAME]`",
    manifest_models.ReportSpec: "## `[reports.NAME]`",
    manifest_models.PushSpec: "## `[reports.NAME]`",
    manifest_data.DataInput: "## Datasets and models",
    manifest_data.PublishSpec: "## Datasets and models",
}


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """Return what stands below the line that starts with *heading*, up to its next equal."""
    level = heading.split(" ", 1)[0]
    found = re.search(rf"^{re.escape(heading)}.*?(?=^{level} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section {heading}"
    return found[0]


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


ALL_COMMANDS = dict(commands(cli, "provenote"))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(Settings(home=tmp_path_factory.mktemp("home")))


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_each_setting_is_told_to_operators(name: str) -> None:
    assert f"| `{PREFIX}{name.upper()}` |" in text_of("operating.md")


@pytest.mark.parametrize("path", ALL_COMMANDS)
def test_each_command_and_option_is_told(path: str) -> None:
    words = path.split()
    told = section(text_of("cli.md"), _heading_of(words))
    assert f"`{path}" in told
    for parameter in ALL_COMMANDS[path].params:
        if isinstance(parameter, click.Option):
            for option in parameter.opts:
                assert f"`{option}" in told, f"{path} {option} is not in docs/cli.md"


def _heading_of(words: list[str]) -> str:
    headings = [line for line in text_of("cli.md").splitlines() if line.startswith("### ")]
    stem = f"`{' '.join(words[:2])}"
    found = [line for line in headings if re.search(rf"{re.escape(stem)}[ `]", line)]
    assert found, f"docs/cli.md has no section about {' '.join(words)}"
    return found[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_is_told_that_does_not_exist(page: Path) -> None:
    groups = {path.rsplit(" ", 1)[0] for path in ALL_COMMANDS}
    text = page.read_text(encoding="utf-8")
    lines = "\n".join(_FENCE.findall(text))
    shown = re.findall(r"^ *(provenote(?: [a-z][a-z-]*)+)", lines, re.MULTILINE)
    for told in [*shown, *re.findall(r"`(provenote(?: [a-z][a-z-]*)+)", _FENCE.sub("", text))]:
        words = told.split()
        depth = 3 if " ".join(words[:2]) in groups else 2
        known = {*ALL_COMMANDS, *groups}
        assert " ".join(words[:depth]) in known, f"{page.name} tells of {told}"


def test_the_help_is_shown_as_it_is() -> None:
    shown = CliRunner().invoke(cli, ["--help"], prog_name="provenote", terminal_width=78)
    assert f"$ provenote --help\n{shown.output}```" in text_of("cli.md")


def test_each_address_is_told(web: Flask) -> None:
    told = text_of("http.md")
    for rule in web.url_map.iter_rules():
        assert f"{rule.rule}`" in told, f"{rule.rule} is not in docs/http.md"
        posted = "POST" in (rule.methods or ()) and "GET" not in (rule.methods or ())
        form = rule.rule.endswith("/new")
        assert not posted or form or f"POST {rule.rule}`" in told, f"POST {rule.rule}"


@pytest.mark.parametrize("model", MANIFEST_SECTIONS)
def test_each_key_of_the_manifest_is_told(model: type[BaseModel]) -> None:
    told = section(text_of("manifest.md"), MANIFEST_SECTIONS[model])
    for name, field in model.model_fields.items():
        assert f"`{field.alias or name}`" in told, f"{model.__name__}.{name}"


def test_each_trigger_is_told() -> None:
    told = section(text_of("manifest.md"), "## `[reports.NAME]`")
    for name in manifest_models.OnSpec.model_fields:
        assert f"{name} = {{" in told


def test_each_table_of_the_manifest_is_told() -> None:
    told = text_of("manifest.md")
    sections = {"project", *manifest_models.Manifest.model_fields} - {"name"}
    for name in sections:
        assert re.search(rf"^## `\[{name}[\].]", told, re.MULTILINE), name


@pytest.mark.parametrize("name", provenote.__all__)
def test_each_name_of_the_sdk_is_told(name: str) -> None:
    assert f"| `provenote.{name}" in text_of("templates.md")


def test_the_cell_of_parameters_that_is_shown_is_read_as_told() -> None:
    shown = re.findall(r"^```python\n(.*?)^```$", text_of("templates.md"), re.MULTILINE | re.DOTALL)
    _, found = find_parameters("shown", [Cell("code", shown[0])], "python")
    assert {parameter.name: parameter.type for parameter in found} == {
        "date": "text",
        "least_skill": "float",
        "airport": "text",
        "carriers": "list",
        "planes": "list",
        "window": "int",
        "note": "text",
        "departures": "text",
    }
    by_name = {parameter.name: parameter for parameter in found}
    assert by_name["airport"].choices == ("EWR", "JFK", "LGA")
    assert by_name["planes"].choices == ("A320", "B737")
    assert by_name["window"].required
    assert by_name["note"].nullable
    assert by_name["least_skill"].help == "percent by which the error must be smaller"


@pytest.mark.parametrize("name", builtin_names())
def test_each_builtin_template_is_told_with_its_parameters(name: str) -> None:
    rows = [line for line in text_of("templates.md").splitlines() if f"| `builtin:{name}`" in line]
    assert len(rows) == 1
    for parameter in read_template(MemoryTree({}), f"builtin:{name}").parameters:
        assert f"`{parameter.name}`" in rows[0], parameter.name


@pytest.mark.parametrize("name", [*(field.name for field in fields(Record)), "schema"])
def test_each_field_of_a_record_is_told(name: str) -> None:
    assert f"| `{name}` |" in text_of("records.md")


@pytest.mark.parametrize("model", [RunObject, RunsQuery, RunBody, BatchObject, VersionObject])
def test_each_field_of_the_api_is_told(model: type[BaseModel]) -> None:
    told = section(text_of("http.md"), "## API")
    for name in model.model_fields:
        assert f"`{name}`" in told or f'"{name}"' in told, f"{model.__name__}.{name}"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_each_verdict_is_told(verdict: Verdict) -> None:
    assert f"`{verdict}`" in text_of("index.md")


def test_the_readme_begins_with_a_picture_and_the_two_commands() -> None:
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("run", "test"):
        assert re.search(rf"^make {target}\b", first_screen, re.MULTILINE)
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert "![" in first_screen
    assert (DOCS / "images" / "report.png").stat().st_size <= 200_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere_and_pictures_are_here(page: Path) -> None:
    for picture, target in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            assert not picture, f"{page.name} shows a picture from elsewhere: {target}"
            continue
        file, _, anchor = target.partition("#")
        found = page.parent / file if file else page
        assert found.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(found), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_guide_is_found_from_the_index() -> None:
    linked = {target for _, target in _LINK.findall(text_of("index.md"))}
    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} <= linked


STUBS = MemoryTree(
    {
        "requirements.txt": b"pandas==3.0.0\n",
        "queries/departures.sql": b"SELECT * FROM flights WHERE date = :date\n",
        "stages/features.py": b"def build(departures): ...\n",
        "stages/split.py": b"def build(features, date): ...\n",
        "reports/sanity_check.ipynb": (
            b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code",'
            b' "metadata": {"tags": ["parameters"]}, "outputs": [], "execution_count": null,'
            b" \"source\": \"date = '2013-01-31'\\ndepartures = ''\"}]}"
        ),
    }
)


def with_manifest(text: str) -> MemoryTree:
    return MemoryTree(
        {path: STUBS.read(path) for path in STUBS.files} | {"provenote.toml": text.encode()}
    )


def test_the_manifest_that_is_shown_is_valid() -> None:
    whole = _TOML.findall(text_of("manifest.md"))[0]
    manifest = read_manifest(with_manifest(whole))
    assert manifest.upstream("sanity_check") == ("departures",)


@pytest.mark.parametrize("number", range(1, len(_TOML.findall(text_of("manifest.md")))))
def test_each_part_of_a_manifest_that_is_shown_fits_the_whole_one(number: int) -> None:
    shown = _TOML.findall(text_of("manifest.md"))
    read_manifest(with_manifest(f"{shown[0]}\n{shown[number]}"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_toml_that_is_shown_can_be_parsed(page: Path) -> None:
    for shown in _TOML.findall(page.read_text(encoding="utf-8")):
        tomllib.loads(shown)
