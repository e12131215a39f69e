"""What must make a stage run again, and what must not, on real files."""

import shutil

import pytest

from provenance.identity.key import why

SAME = ("same", "same: nothing recorded differs")


@pytest.fixture
def project(project):
    project.put("stages/__init__.py", "")
    project.put("stages/features.py", "from stages import middle\n\ndef build(): return middle.x\n")
    project.put("stages/middle.py", "import lib.far\nx = lib.far.value()\n")
    project.put("lib/__init__.py", "")
    project.put("lib/far.py", "FACTOR = 2\n\ndef value():\n    return FACTOR\n")
    project.put("lib/unused.py", "x = 1\n")
    project.put("other.py", "y = 1\n")
    return project


def told(reason):
    return (reason.code, reason.sentence)


def test_editing_a_helper_two_imports_away_reruns_the_stage(project):
    before = project.preimage()
    project.put("lib/far.py", "FACTOR = 2\n\ndef value():\n    return FACTOR + 1\n")
    assert told(project.reason(before)) == ("code", "code: lib/far.py changed")


def test_editing_a_constant_of_a_module_reruns_the_stage(project):
    before = project.preimage()
    project.put("lib/far.py", "FACTOR = 3\n\ndef value():\n    return FACTOR\n")
    assert told(project.reason(before)) == ("code", "code: lib/far.py changed")


def test_editing_a_docstring_reruns_the_stage(project):
    before = project.preimage()
    project.put("lib/far.py", '"""Far."""\nFACTOR = 2\n\ndef value():\n    return FACTOR\n')
    assert project.reason(before).code == "code"


def test_comments_and_white_space_do_not_rerun(project):
    before = project.preimage()
    project.put(
        "lib/far.py", "# far\nFACTOR  =  2  # two\ndef value():\n\n        return (FACTOR)\n"
    )
    assert told(project.reason(before)) == SAME
    exact = {file.path: file.exact for file in project.closure().files}
    assert exact["lib/far.py"] != dict(before.code["files"])["lib/far.py"]


def test_editing_what_is_not_imported_does_not_rerun(project):
    before = project.preimage()
    project.put("lib/unused.py", "x = 2\n")
    project.put("other.py", "y = 2\n")
    project.put("README.md", "hello")
    assert told(project.reason(before)) == SAME


def test_a_plugin_imported_by_a_variable_reruns_and_the_line_is_recorded(project):
    project.put(
        "stages/middle.py",
        "from importlib import import_module as load\n\ndef x(name):\n    return load(name)\n",
    )
    project.put("plugins/one.py", "import pandas\n")
    project.put("plugins/table.csv", "1")
    before = project.preimage()
    closure = project.closure()
    assert [(site.path, site.line) for site in closure.open_sites] == [("stages/middle.py", 4)]
    assert "pandas" in closure.imports
    project.put("plugins/one.py", "import pandas as pd\n")
    assert told(project.reason(before)) == ("code", "code: plugins/one.py changed")
    project.put("plugins/table.csv", "2")
    assert "plugins/table.csv changed" in project.reason(before).sentence


def test_a_new_package_that_shadows_a_module_reruns(project):
    before = project.preimage()
    project.put("lib/far/__init__.py", "def value(): return 0\n")
    assert told(project.reason(before)) == (
        "code",
        "code: lib/far.py removed, lib/far/__init__.py added",
    )


def test_a_new_module_that_shadows_an_installed_one_reruns(project):
    project.put("lib/far.py", "import pandas\n\ndef value(): return pandas\n")
    before = project.preimage()
    assert "pandas" in project.closure().imports
    project.put("pandas.py", "")
    assert told(project.reason(before)) == ("code", "code: pandas.py added")
    assert "pandas" not in project.closure().imports


def test_a_new_module_that_shadows_the_standard_library_reruns(project):
    before = project.preimage()
    project.put("calendar.py", "")
    assert told(project.reason(before)) == ("code", "code: calendar.py added")


def test_a_new_module_on_an_earlier_root_reruns(project):
    project.put("first/__keep__", "")
    project.put("second/tool.py", "")
    project.put("second/run.py", "import tool\n")

    def found():
        closure = project.closure("second/run.py", ("first", "second"))
        return {file.path for file in closure.files}

    assert found() == {"second/run.py", "second/tool.py"}
    project.put("first/tool.py", "")
    assert found() == {"second/run.py", "first/tool.py"}


def test_editing_the_init_of_a_parent_package_reruns(project):
    project.put("lib/deep/__init__.py", "")
    project.put("lib/deep/down.py", "")
    project.put("stages/middle.py", "import lib.deep.down\nx = 1\n")
    before = project.preimage()
    project.put("lib/__init__.py", "import os\nos.environ['A'] = '1'\n")
    assert told(project.reason(before)) == ("code", "code: lib/__init__.py changed")
    project.put("stages/__init__.py", "A = 1\n")
    assert "stages/__init__.py changed" in project.reason(before).sentence


def test_an_init_that_appears_reruns(project):
    (project.root / "lib/__init__.py").unlink()
    before = project.preimage()
    project.put("lib/__init__.py", "")
    assert told(project.reason(before)) == ("code", "code: lib/__init__.py added")


@pytest.mark.parametrize("name", ["fast.cpython-311-x86_64-linux-gnu.so", "fast.so"])
def test_a_rebuilt_extension_module_reruns_even_untracked(project, name):
    project.put("stages/middle.py", "from lib import fast\nx = fast.x\n")
    project.put(f"lib/{name}", b"\x7fELF one")
    project.untracked.add(f"lib/{name}")
    before = project.preimage()
    project.put(f"lib/{name}", b"\x7fELF two")
    assert told(project.reason(before)) == ("code", f"code: lib/{name} changed")


def test_an_edit_of_equal_size_with_its_mtime_put_back_reruns(project):
    before = project.preimage()
    for factor in (3, 4, 5):
        edited = f"FACTOR = {factor}\n\ndef value():\n    return FACTOR\n"
        project.edit_unseen("lib/far.py", edited)
        assert told(project.reason(before)) == ("code", "code: lib/far.py changed")
        before = project.preimage()


def test_touching_every_file_does_not_rerun(project):
    before = project.preimage()
    project.touch()
    assert told(project.reason(before)) == SAME


def test_a_fresh_copy_elsewhere_has_the_same_key(project, tmp_path):
    before = project.preimage()
    shutil.copytree(project.root, tmp_path / "clone")
    project.root = tmp_path / "clone"
    assert told(project.reason(before)) == SAME


def test_a_deleted_module_is_named(project):
    project.put("stages/middle.py", "try:\n    import lib.far\nexcept ImportError:\n    x = 1\n")
    before = project.preimage()
    (project.root / "lib/far.py").unlink()
    assert told(project.reason(before)) == ("code", "code: lib/far.py removed")


def test_looking_twice_changes_nothing(project):
    assert why(project.preimage(), project.preimage()).code == "same"
