from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.manifest import ManifestError, OnSpec, PushSpec, read_manifest
from pipeline.manifest_parts.problems import lines_of
from pipeline.repository.tree import DirectoryTree, MemoryTree
from tests.support.manifests import CODE, MANIFEST, edited, notebook, only, problems, tree


def test_a_manifest_is_read_whole() -> None:
    found = read_manifest(tree())
    assert found.name == "flights"
    assert found.environment.from_ == "requirements.txt"
    assert found.environment.preload == ("pandas", "scipy.stats")
    assert found.sources["replica"].url_env == "FLIGHTS_REPLICA_URL"
    assert (found.params["limit"].type, found.params["limit"].maximum) == ("int", 1000)
    features = found.stages["features"]
    assert features.inputs == {"departures": "departures"}
    assert (features.params, features.outputs, features.timeout) == (
        None,
        {"table": None, "totals": None},
        60.0,
    )
    report = found.reports["sanity_check"]
    assert report.cases == ({"date": date(2013, 1, 31)}, {"date": "2013-02-28", "n": 3})
    assert report.on.push == PushSpec()
    assert found.reports["card"].on == OnSpec(push=None)
    assert found.upstream("sanity_check") == ("departures", "features")
    assert found.upstream("card") == ()


def test_the_smallest_manifest_has_a_name() -> None:
    found = read_manifest(tree('[project]\nname = "a"'))
    assert (found.environment.from_, found.environment.preload) == (None, None)
    assert (found.sources, found.stages, found.reports) == ({}, {}, {})


def test_branches_and_paths_of_a_push_can_be_given() -> None:
    on = 'on = { push = { branches = ["main"], paths = ["stages/**"] } }'
    found = read_manifest(tree(edited(('on = ["push"]', on))))
    assert found.reports["sanity_check"].on.push == PushSpec(
        branches=("main",), paths=("stages/**",)
    )
    found = read_manifest(tree(edited(('on = ["push"]', "on = { push = true }"))))
    assert found.reports["sanity_check"].on.push == PushSpec()


def test_a_byte_order_mark_and_windows_line_ends_are_no_problem() -> None:
    assert read_manifest(tree(b"\xef\xbb\xbf" + MANIFEST.replace("\n", "\r\n").encode()))


def test_no_manifest_at_all_says_how_to_make_one() -> None:
    assert only(MemoryTree({"a.py": b""})) == (
        "provenote.toml: there is none at the root of the project. `provenote init` makes one."
    )


@pytest.mark.parametrize("section", ["sources", "params", "stages", "reports"])
def test_sections_are_tables_of_tables(section: str) -> None:
    found = only(tree(f'{section} = 5\n[project]\nname = "a"'))
    assert f"{section}: found an integer, expected tables like [{section}.NAME]." in found
    found = only(tree(f'[project]\nname = "a"\n[{section}]\nx = 5'))
    assert found == f"provenote.toml:4 {section}.x: found 5 (an integer), expected a table."


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    manifest = edited(
        ('name = "flights"', 'name = "Flights"'),
        ("from =", "form ="),
        ('source = "replica"', 'source = "x"'),
        ("timeout = 60", "tiemout = 60"),
        ("n = 3", "n = 'x'"),
    )
    found = [problem.where.partition(" ")[2] for problem in problems(tree(manifest))]
    assert found == [
        "project.name",
        "environment.form",
        "stages.departures.source",
        "stages.features.tiemout",
    ]


def test_a_broken_stage_still_counts_as_a_stage() -> None:
    found = only(tree(edited(('outputs = ["table", "totals"]', "outputs = 5"))))
    assert (
        "stages.features.outputs: found 5 (an integer), expected names, or names with files."
        in found
    )


def test_cycles_are_named_each_of_them() -> None:
    stage = '[stages.{0}]\npython = "stages.features:build"\ninputs = {{ departures = "{1}" }}\n'
    pairs = [("a", "b"), ("b", "c"), ("c", "a"), ("x", "y"), ("y", "x")]
    manifest = MANIFEST + "".join(stage.format(*pair) for pair in pairs)
    found = [problem.message for problem in problems(tree(manifest))]
    assert len(found) == 2
    first, second = (set(text.split(": ")[1].rstrip(".").split(" → ")) for text in found)
    assert (first, second) == ({"a", "b", "c"}, {"x", "y"})


def test_a_report_in_a_cycle_is_not_checked_further() -> None:
    manifest = edited(('{ departures = "departures" }\n', '{ departures = "features" }\n'))
    assert "features → features" in only(tree(manifest))


def test_a_required_parameter_needs_cases_when_pushes_evaluate_the_report() -> None:
    template = notebook("day: date\ndate = '2013-01-01'\nn = 1")
    found = problems(tree(reports_sanity_check_ipynb=template))
    assert {problem.where for problem in found} == {
        "provenote.toml:34 reports.sanity_check.cases[0]",
        "provenote.toml:34 reports.sanity_check.cases[1]",
    }
    assert {problem.message for problem in found} == {
        "day is missing; expected a date like 2013-01-31, yesterday or -3d."
    }
    manifest = edited(('cases = [{ date = 2013-01-31 }, { date = "2013-02-28", n = 3 }]\n', ""))
    assert only(tree(manifest, reports_sanity_check_ipynb=template)) == (
        "provenote.toml:31 reports.sanity_check: day is missing; expected a date like "
        "2013-01-31, yesterday or -3d. "
        "Give it a default or the report cases, for a push gives no values."
    )
    on_demand = manifest.replace('on = ["push"]\n', "")
    assert read_manifest(tree(on_demand, reports_sanity_check_ipynb=template))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("reports_sanity_check_ipynb", b"{", "template: reports/sanity_check.ipynb, line 1: not v"),
        (
            "reports_sanity_check_ipynb",
            b'{"nbformat": 3}',
            "template: reports/sanity_check.ipynb has nbformat 3; provenote reads 4. Upgrade it",
        ),
        ("reports_sanity_check_ipynb", notebook("n: int = 'x'"), "n: default: found 'x' (text),"),
        ("stages_features_py", b"def build(:", "stages/features.py, line 1: invalid syntax"),
        ("stages_features_py", b"def build(*a): ...", "takes *a; a stage is given what its sign"),
        ("stages_features_py", b"async def build(): ...", "is async; a stage is called plainly."),
        ("stages_features_py", None, "no module stages.features: neither stages/features.py nor"),
        ("queries_departures_sql", b"\xff", "queries/departures.sql is not UTF-8 (byte 0)."),
        ("queries_departures_sql", b":dat", "binds :dat, but the parameters are: date, limit. Did"),
        ("queries_departures_sql", None, "'queries/departures.sql' is not in the project."),
    ],
)
def test_what_is_wrong_in_a_file_is_told_where_the_manifest_names_it(
    file: str, content: Any, message: str
) -> None:
    found = problems(tree(**{file: content}))
    assert message in str(found[0])


def test_a_link_that_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "secret.ipynb").write_bytes(notebook())
    (root / "a.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (root / "provenote.toml").write_text(
        '[project]\nname = "a"\n[reports.a]\ntemplate = "a.ipynb"\n'
    )
    found = problems(DirectoryTree(root, frozenset({"provenote.toml", "a.ipynb"})))
    assert "a.ipynb is a link that leads out of the project." in str(found[0])


def test_reading_never_runs_code_of_the_project(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w')\n".encode() + CODE
    template = notebook(f"open({str(mark)!r}, 'w')\nn = 1\ndate = '2013-01-01'")
    read_manifest(tree(stages_features_py=code, reports_sanity_check_ipynb=template))
    assert not mark.exists()


LINES = MANIFEST.splitlines()
SNIPPETS = ["5", "[]", "{}", "[[]]", '""', '"x:y"', "2013-01-31", "nan", "{ a = { b = [1] } }"]
SNIPPETS += ["[{}]", '"builtin:../x"', '"a.b.c"', "true", "-1", '"\\u0000"', '"/etc/passwd"']


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(["", *SNIPPETS]) | st.text()),
        max_size=6,
    )
)
def test_any_edit_gives_a_manifest_or_problems_with_places(edits: list[tuple[int, str]]) -> None:
    lines = list(LINES)
    for number, value in edits:
        key, equals, _ = lines[number].partition(" = ")
        lines[number] = f"{key} = {value}" if equals and value else value
    try:
        read_manifest(tree("\n".join(lines).encode(errors="replace")))
    except ManifestError as error:
        places = [problem.where for problem in error.problems]
        assert all(place.startswith("provenote.toml") for place in places)


def test_lines_are_those_of_tables_and_keys() -> None:
    text = (
        "[a]\n# b = 1\nb.c = '''\nd = 1\n'''\n [ a . 'x y' ] # z\ne = [\n  1,\n]\n"
        '[[f]]\ng = """x = """\nh = 1\n[[f]]\ng = 2\n'
    )
    lines = lines_of(text)
    assert lines[("a", "b", "c")] == 3
    assert ("a", "d") not in lines
    assert lines[("a", "x y", "e")] == 7
    assert lines[("f", 0, "h")] == 12
    assert lines[("f", 1, "g")] == 14
    assert lines_of("a" + ".a" * 200_000 + " = 1")
