import pytest

from provenance.errors import NotFoundError
from provenance.identity.closure import MissingSourceError, OpenSite
from provenance.identity.sources import OutsideLinkError

ENTRY = "stages/features.py"


@pytest.fixture
def project(project):
    for path in ("stages/__init__.py", "stages/helper.py", "lib/__init__.py", "lib/a.py"):
        project.put(path)
    for path in ("lib/b.py", "lib/sub/__init__.py", "lib/sub/c.py", "space/d.py", "top.py"):
        project.put(path)
    return project


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import top", "top.py"),
        ("import lib", "lib/__init__.py"),
        ("import lib.sub.c as c", "lib/__init__.py lib/sub/__init__.py lib/sub/c.py"),
        ("from lib import a, nothing", "lib/__init__.py lib/a.py"),
        ("from lib.sub import c", "lib/__init__.py lib/sub/__init__.py lib/sub/c.py"),
        ("from . import helper", "stages/helper.py"),
        ("from .helper import x", "stages/helper.py"),
        ("from .. import top", ""),
        ("import space.d", "space/d.py"),
        ("from space import d", "space/d.py"),
        ("def f():\n  if x:\n    import top", "top.py"),
        ("try:\n  import top\nexcept ImportError:\n  from lib import a",
         "top.py lib/__init__.py lib/a.py"),
        ("if TYPE_CHECKING:\n  from lib import a", "lib/__init__.py lib/a.py"),
        ("class A:\n  async def f(self):\n    from lib import b", "lib/__init__.py lib/b.py"),
        ("import importlib\nimportlib.import_module('lib.b')", "lib/__init__.py lib/b.py"),
        ("import importlib as il\nil.import_module(name='top')", "top.py"),
        ("from importlib import import_module\nimport_module('.helper', __package__)",
         "stages/helper.py"),
        ("from importlib import import_module\nimport_module('.c', 'lib.sub')",
         "lib/__init__.py lib/sub/__init__.py lib/sub/c.py"),
        ("from importlib import import_module\nimport_module('..a', package='lib.sub')",
         "lib/__init__.py lib/a.py"),
        ("__import__('top')", "top.py"),
        ("__import__('lib', globals(), locals(), ['b'])", "lib/__init__.py lib/b.py"),
        ("exec('import top')", "top.py"),
        ("eval('__import__(\"top\").x')", "top.py"),
        ("from importlib.resources import files\nfiles('lib.sub')",
         "lib/__init__.py lib/sub/__init__.py"),
        ("import re, sys\nre.compile('x'); sys.exit(0); df.eval('a'); model.eval()", ""),
    ],
)  # fmt: skip
def test_imports_are_followed(project, source, expected):
    project.put(ENTRY, source)
    closure = project.closure()
    assert closure.open_sites == ()
    assert {file.path for file in closure.files} == {
        ENTRY, "stages/__init__.py", *expected.split(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("import importlib\nimportlib.import_module(name)", 2, "import_module"),
        ("from importlib import import_module as m\n\nm(f'plugins.{n}')", 3, "import_module"),
        ("import importlib\nload = importlib.import_module\nload('top')", 2, "handed on"),
        ("import importlib\ngetattr(importlib, 'import_module')('top')", 2, "handed on"),
        ("from importlib import import_module\nlist(map(import_module, x))", 2, "handed on"),
        ("import_module = None\n__import__(name)", 2, "__import__"),
        ("exec(open('x').read())", 1, "exec"),
        ("def f():\n  return eval(text)", 2, "eval"),
        ("import builtins\nbuiltins.exec(text)", 2, "exec"),
        ("exec('not python at all')", 1, "exec"),
        ("exec('x = 1\\n__import__(name)')", 1, "__import__"),
        ("import runpy\nrunpy.run_path('top.py')", 2, "runpy"),
        ("from runpy import run_module\nrun_module('top')", 2, "runpy"),
        ("import sys\nsys.path.insert(0, 'lib')", 2, "sys.path"),
        ("from sys import path\npath.append('lib')", 2, "sys.path"),
        ("import sys\nsys.path += ['lib']", 2, "sys.path"),
        ("import sys\np = sys.path\np.append('lib')", 2, "sys.path"),
        ("import site\nsite.addsitedir('lib')", 2, "sys.path"),
        ("import importlib.util as u\nu.spec_from_file_location('a', p)", 2, "from a file"),
        ("from importlib.metadata import entry_points\nentry_points(group='g')", 2, "entry points"),
        ("import pkgutil\nfor m in pkgutil.iter_modules(): pass", 2, "listed"),
        ("__path__.append('x')", 1, "path"),
        ("from importlib import *\nimport_module(x)", 1, "everything"),
        ("x = 1\nthis is no python", 2, "cannot parse"),
    ],
)
def test_what_only_running_can_tell_opens_the_closure(project, source, line, what):
    project.put("queries/a.sql", "select 1")
    project.put(ENTRY, source)
    closure = project.closure()
    assert (closure.open_sites[0].path, closure.open_sites[0].line) == (ENTRY, line)
    assert what in closure.open_sites[0].what
    assert {file.path for file in closure.files} == project.tracked


def test_sites_are_those_of_reached_files_only(project):
    project.put(ENTRY, "import sys\nsys.path.append('x')\n")
    project.put("setup.py", "exec(code)\n")
    assert project.closure().open_sites == (OpenSite(ENTRY, 2, "sys.path is used"),)


def test_names_from_outside_are_told_by_their_first_part(project):
    project.put(ENTRY, "import os.path, pandas as pd\nfrom sklearn.svm import SVC\nimport lib.a\n")
    project.put("lib/a.py", "def f():\n    import pyarrow.parquet\n")
    assert project.closure().imports == {"os", "pandas", "sklearn", "pyarrow"}


def test_a_namespace_package_may_also_be_an_installed_one(project):
    project.put(ENTRY, "import space.d\n")
    assert project.closure().imports == {"space"}


def test_import_star_takes_what_the_package_exports(project):
    project.put(ENTRY, "from lib import *\n")
    assert "lib/a.py" not in project.paths()
    project.put("lib/__init__.py", "__all__ = ['a']\n")
    assert "lib/a.py" in project.paths()
    assert "lib/b.py" not in project.paths()
    project.put("lib/__init__.py", "__all__ = sorted(globals())\n")
    assert {"lib/a.py", "lib/b.py", "lib/sub/__init__.py"} <= project.paths()


def test_a_package_hides_the_module_of_its_name(project):
    project.put("lib/sub.py", "")
    project.put(ENTRY, "import lib.sub\n")
    assert "lib/sub.py" not in project.paths()
    assert "lib/sub/__init__.py" in project.paths()


def test_modules_that_import_each_other_end(project):
    project.put("lib/a.py", "from lib import b\n")
    project.put("lib/b.py", "from lib import a\n")
    project.put(ENTRY, "import lib.a\n")
    assert {"lib/a.py", "lib/b.py"} <= project.paths()


def test_a_project_laid_out_under_src_is_found(project):
    project.put("src/flights/__init__.py")
    project.put("src/flights/model.py", "from .parts import x")
    project.put("src/flights/parts.py")
    project.put(ENTRY, "from flights import model\n")
    assert {"src/flights/model.py", "src/flights/parts.py"} <= project.paths()


def test_an_entry_beside_the_search_roots_finds_its_neighbours(project):
    project.put("tools/run.py", "import neighbour, a\n")
    project.put("tools/neighbour.py")
    found = {file.path for file in project.closure("tools/run.py", ("lib",)).files}
    assert found == {"tools/run.py", "tools/neighbour.py", "lib/a.py"}


def test_cells_of_a_notebook_have_a_closure_of_their_own(project):
    project.put("data/limits.csv", "1")
    closure = project.of_sources("import pandas", "from lib import a", "open('data/limits.csv')")
    assert [file.path for file in closure.files] == [
        "data/limits.csv", "lib/__init__.py", "lib/a.py",
    ]  # fmt: skip
    assert closure.imports == {"pandas"}
    assert closure.open_sites == ()


def test_cells_that_run_scripts_and_load_extensions(project):
    project.put("scripts/prepare.py", "import neighbour\n")
    project.put("scripts/neighbour.py")
    closure = project.of_sources(
        "get_ipython().run_line_magic('run', 'scripts/prepare.py --fast')",
        "get_ipython().run_line_magic('load_ext', 'lib.a')",
        "get_ipython().run_line_magic('run', '{script}')",
    )
    assert {"scripts/prepare.py", "scripts/neighbour.py", "lib/a.py"} <= {
        file.path for file in closure.files
    }
    assert [site.path for site in closure.open_sites] == ["reports/r.ipynb cell 3"]


def test_a_source_in_another_encoding_is_read(project):
    project.put(ENTRY, "# coding: latin-1\nimport top\nx = 'é'\n".encode("latin-1"))
    assert project.closure().open_sites == ()
    assert "top.py" in project.paths()


def test_a_source_that_cannot_be_parsed_counts_by_its_bytes(project):
    project.put(ENTRY, "def broken(:\n")
    (entry,) = (file for file in project.closure().files if file.path == ENTRY)
    assert entry.semantic == entry.exact


def test_a_missing_entry_is_an_error(project):
    with pytest.raises(MissingSourceError, match=r"stages/gone\.py"):
        project.closure("stages/gone.py")
    assert issubclass(MissingSourceError, NotFoundError)


@pytest.mark.parametrize("entry", ["../outside.py", "/etc/passwd.py", "stages/../../outside.py"])
def test_an_entry_outside_is_refused(project, entry):
    (project.root.parent / "outside.py").write_text("")
    with pytest.raises(OutsideLinkError):
        project.closure(entry)


def test_a_link_that_leads_out_is_refused(project):
    outside = project.root.parent / "secret.py"
    outside.write_text("TOKEN = 1\n")
    (project.root / "lib/link.py").symlink_to(outside)
    project.put(ENTRY, "from lib import link\n")
    with pytest.raises(OutsideLinkError, match=r"lib/link\.py leads out"):
        project.closure()


def test_a_directory_link_that_leads_out_is_refused(project):
    outside = project.root.parent / "elsewhere"
    outside.mkdir()
    (outside / "m.py").write_text("")
    (project.root / "linked").symlink_to(outside)
    project.put(ENTRY, "import linked.m\n")
    with pytest.raises(OutsideLinkError, match="linked"):
        project.closure()


def test_a_link_that_stays_inside_counts_by_its_target(project):
    (project.root / "lib/link.py").symlink_to("a.py")
    project.put(ENTRY, "from lib import link\n")
    before = project.preimage()
    project.put("lib/a.py", "x = 1\n")
    assert project.reason(before).sentence == "code: lib/link.py changed"
