"""What importing means: every module stands alone, and nobody carries what only runners need."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import PROVENOTE, make_home
from tests.support.tides import make_tides

ROOT = Path(__file__).parents[1]
FLOORS = ("app", "pipeline", "provenance")
HEAVY = {"papermill", "nbconvert", "nbformat", "pandas", "pyarrow", "nbdime", "IPython"}
AT_A_TIME = 2

# Each module is imported in a child of its own, forked while nothing of ours is imported: to
# our modules it is as fresh as a new interpreter, and what others wrote is read only once.
_EACH_ALONE = """
import gc, json, os, sys, traceback
import alembic, celery.app.trace, filelock, flask_openapi3, flask_wtf, graphlib, greenlet, papermill
import psutil, pydantic, rfc8785, rich.progress, sqlalchemy.ext.asyncio, sqlalchemy.orm, statistics
import sqlalchemy.dialects.postgresql, sqlalchemy.dialects.sqlite, structlog, tzlocal
gc.collect(); gc.freeze(); gc.disable()  # pages that nobody writes to are shared by all children
failed = {}
for name in json.loads(sys.argv[1]):
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        try:
            __import__(name)
        except BaseException:
            os.write(writing, traceback.format_exc()[-3000:].encode())
        os._exit(0)
    os.close(writing)
    said = b""
    while chunk := os.read(reading, 65536):
        said += chunk
    os.close(reading)
    if os.wait()[1] or said:
        failed[name] = said.decode()
print(json.dumps(failed))
"""


def modules() -> list[str]:
    # The program's own entries run when they are imported, and migrations inside of Alembic.
    paths = [
        path.relative_to(ROOT)
        for floor in FLOORS
        for path in (ROOT / floor).rglob("*.py")
        if path.name != "__main__.py" and "migrations" not in path.parts
    ]
    return sorted(".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths)


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
    names = modules()
    assert len(names) > 100
    parts = [json.dumps(names[start::AT_A_TIME]) for start in range(AT_A_TIME)]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        answers = list(pool.map(lambda part: python(_EACH_ALONE, part), parts))
    assert {name: said for answer in answers for name, said in answer.items()} == {}


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
