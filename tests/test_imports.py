"""What importing means: every module stands alone, and nobody carries what only runners need."""

import ast
import json
import random
import subprocess
import sys
from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import PROVENOTE, make_home
from tests.support.tides import make_tides

ROOT = Path(__file__).parents[1]
FLOORS = ("app", "pipeline", "provenance")
HEAVY = {"papermill", "nbconvert", "nbformat", "pandas", "pyarrow", "nbdime", "IPython"}


# A function that imports something of ours while its module is imported is seen by no graph.
_ALL = """
import builtins, json, sys
ours, late, plain = ("app", "pipeline", "provenance"), [], builtins.__import__
def watched(name, *rest, **more):
    caller = sys._getframe(1)
    if caller.f_code.co_flags & 2 and {name.partition(".")[0],
                                       caller.f_globals["__name__"].partition(".")[0]} <= set(ours):
        late.append(f"{caller.f_globals['__name__']} imports {name} in {caller.f_code.co_name}")
    return plain(name, *rest, **more)
builtins.__import__ = watched
for name in json.loads(sys.argv[1]):
    plain(name)
builtins.__import__ = plain
print(json.dumps(late))
"""


def modules() -> dict[str, Path]:
    """Return all modules by name, but those that run when they are imported."""
    # The program's own entries do so, and migrations, which Alembic runs.
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for floor in FLOORS
        for path in (ROOT / floor).rglob("*.py")
        if path.name != "__main__.py" and "migrations" not in path.parts
    }


def imported_at_once(module: ast.Module) -> Iterator[str]:
    """Yield the names that are imported when *module* is, not in a function afterwards."""
    waiting: list[ast.AST] = list(module.body)
    while waiting:
        match waiting.pop():
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                pass
            case ast.If(test=ast.Name("TYPE_CHECKING"), orelse=otherwise):
                waiting += otherwise
            case ast.Import(names):
                yield from (name.name for name in names)
            case ast.ImportFrom(source, names, level):
                assert level == 0, "imports here are absolute"
                yield from (f"{source}.{name.name}" for name in names)
            case other:
                waiting += ast.iter_child_nodes(other)


def needs(name: str, known: Collection[str], source: str) -> set[str]:
    """Return the modules of ours that have to be whole before *name* can be."""
    found = set()
    for wanted in imported_at_once(ast.parse(source)):
        found.add(wanted if wanted in known else wanted.rpartition(".")[0])
        # The packages of what is wanted; its own are imported before it in any case.
        found.update(p for p in packages(wanted) if not f"{name}.".startswith(f"{p}."))
    return found & set(known)


def packages(name: str) -> Iterator[str]:
    while name := name.rpartition(".")[0]:
        yield name


def python(code: str, *arguments: str, **options: Any) -> Any:
    """Run *code* in a fresh interpreter and return the JSON document that it prints last."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        **options,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def loaded(code: str, **options: Any) -> set[str]:
    """Run *code* and return the names of the packages that were imported for it."""
    telling = (
        "\nimport json, sys; print(json.dumps(sorted({n.split('.')[0] for n in sys.modules})))"
    )
    return set(python(code + telling, **options))


def test_every_module_can_be_imported_first() -> None:
    """All can be imported, and none in a circle: so it does not matter which is the first."""
    known = modules()
    assert len(known) > 100
    circles = {name: needs(name, known, path.read_text()) for name, path in known.items()}
    try:
        TopologicalSorter(circles).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))
    names = list(known)
    random.shuffle(names)
    assert python(_ALL, json.dumps(names)) == [], names


def test_a_circle_of_imports_is_seen() -> None:
    known = ("a", "a.b", "a.c")
    assert needs("a.b", known, "from a.c import x") == {"a.c"}
    assert needs("a.b", known, "from a import c") == {"a.c"}
    assert needs("a.b", known, "from a import x") == {"a"}
    assert needs("a", known, "import a.b") == {"a.b"}
    assert needs("z", known, "from a.b import x\ndef later(): import a.c") == {"a", "a.b"}


def test_the_web_process_carries_no_notebook_library(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from app.assemble import assemble, make_ready
from app.factory import create_app
from app.settings import Settings
from app.work.doorbell import CeleryDoorbell
import app.web.server

settings = Settings(home=Path({str(tmp_path)!r}))
make_ready(settings, assemble(settings))
bell = CeleryDoorbell(settings)
bell.warm_up()
bell.ring_run("run_1")
client = create_app(settings, bell).test_client()
for address in ("/", "/healthz", "/api/v1/openapi.json", "/api/v1/runs"):
    assert client.get(address, base_url="http://localhost").status_code == 200, address
"""
    assert loaded(code) & HEAVY == set()


def test_the_worker_carries_no_notebook_library() -> None:
    found = loaded("import app.work.worker, app.serve")
    assert found & HEAVY == set()
    assert "celery" in found


def test_the_command_line_carries_no_notebook_library_even_after_a_run(
    tmp_path: Path, environments: Path, default_environment: Path
) -> None:
    home = make_home(tmp_path, environments)
    tides = make_tides(tmp_path / "tides")
    code = """
import sys
from app.cli import main
sys.argv = ["provenote", "run", "quick"]
try:
    main()
except SystemExit as ended:
    assert ended.code == 0, ended.code
"""
    found = loaded(code, env=home.environ(), cwd=tides.path)
    assert found & HEAVY == set()
    assert "flask" not in found
    assert "celery" not in found


def test_a_plan_is_told_without_loading_what_executes() -> None:
    """What a shell waits for each time: nothing of what runs, logs, serves or migrates."""
    found = loaded("import app.cli.plan")
    assert found.isdisjoint({"alembic", "celery", "flask", "jinja2", "rich", "structlog"} | HEAVY)
    assert "sqlalchemy" in found


def test_no_command_that_only_tells_loads_what_serves() -> None:
    names = ("data", "data_read", "environments", "errors", "explain", "show", "used_by", "verify")
    told = ", ".join("app.errors" if name == "errors" else f"app.cli.{name}" for name in names)
    assert loaded(f"import {told}").isdisjoint({"celery", "flask"} | HEAVY)


def test_a_file_is_looked_into_without_loading_the_ledger() -> None:
    found = loaded("import provenance.datasets.elsewhere")
    assert found.isdisjoint({"sqlalchemy", "alembic", "pydantic"} | HEAVY)


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_is_told_without_loading_what_it_tells_of(argument: str) -> None:
    code = f"""
import sys
from app.cli import main
sys.argv = ["provenote", {argument!r}]
try:
    main()
except SystemExit as ended:
    assert not ended.code
"""
    found = loaded(code)
    assert found.isdisjoint({"flask", "celery", "sqlalchemy", "pydantic", "rich"} | HEAVY)
    assert PROVENOTE.exists()
