"""Cases 1 to 7: what an edit of code does to the stages that stand on it."""

import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cases.project import ALL_REUSED, FAR, MADE_AGAIN, MIDDLE, Case, said
from tests.support.repository import Files

CaseOf = Callable[[Files], Case]
COMPILER = shutil.which("cc") or ""
HEADERS = Path(sysconfig.get_path("include"))


def test_case_01_a_helper_two_imports_away_is_edited(case: Case) -> None:
    """Case 1: the stage runs again, and the file is named."""
    first = case.push()
    assert first.statuses == {"made": "executed", "seen": "executed", "report": "executed"}
    again = case.push({"lib/deep/far.py": FAR.replace("return FACTOR", "return FACTOR * 10")})
    assert again.statuses == MADE_AGAIN
    assert said(again) == ("executed", "code", "code: lib/deep/far.py changed")
    assert (case.text(first), case.text(again)) == ("far 2", "far 20")


def test_case_02_a_constant_of_a_module_is_changed(case: Case) -> None:
    """Case 2: the stage runs again, though no function was touched."""
    first = case.push()
    again = case.push({"lib/deep/far.py": FAR.replace("FACTOR = 2", "FACTOR = 3")})
    assert again.statuses == MADE_AGAIN
    assert said(again) == ("executed", "code", "code: lib/deep/far.py changed")
    assert (case.text(first), case.text(again)) == ("far 2", "far 3")


def test_case_03_comments_and_white_space_are_edited(case: Case) -> None:
    """Case 3: everything is reused; the record still knows the exact bytes that ran."""
    first = case.push()
    spaced = "# How much.\nFACTOR  =  2  # two\n\n\ndef value( ):\n\n        return (FACTOR)\n"
    again = case.push({"lib/deep/far.py": spaced, "lib/middle.py": f"# between\n{MIDDLE}"})
    assert again.statuses == ALL_REUSED
    assert again.jobs["made"].sentence.startswith("unchanged since ")
    assert {name: job.key for name, job in again.jobs.items()} == {
        name: job.key for name, job in first.jobs.items()
    }
    assert again.jobs["made"].record == first.jobs["made"].record


def test_case_04_a_plugin_imported_by_a_variable_is_edited(case_of: CaseOf) -> None:
    """Case 4: the stage runs again, and the record says which line left it open what is read."""
    loader = (
        "from importlib import import_module\n\n"
        "def told():\n"
        "    name = ''.join(['plug', 'ins.', 'one'])\n"
        "    return import_module(name).word()\n"
    )
    plugin = "def word():\n    return 'plugged'\n"
    files = {"lib/middle.py": loader, "plugins/__init__.py": "", "plugins/one.py": plugin}
    case = case_of(files)
    first = case.push()
    code = case.record(first)["code"]
    assert code["closure"] == "open"
    assert [(site["path"], site["line"]) for site in code["open_sites"]] == [("lib/middle.py", 5)]
    again = case.push({"plugins/one.py": plugin.replace("plugged", "unplugged")})
    assert again.statuses == MADE_AGAIN
    assert said(again) == ("executed", "code", "code: plugins/one.py changed")
    assert (case.text(first), case.text(again)) == ("plugged", "unplugged")


def test_case_05_a_new_module_shadows_another(case: Case) -> None:
    """Case 5: the stage runs again, though no file that it stood on was touched."""
    case.push()
    package = "def value():\n    return 'shadow'\n"
    shadowed = case.push({"lib/deep/far/__init__.py": package})
    assert shadowed.statuses == MADE_AGAIN
    sentence = "code: lib/deep/far.py removed, lib/deep/far/__init__.py added"
    assert said(shadowed) == ("executed", "code", sentence)
    assert case.text(shadowed) == "far shadow"

    standard = case.push({"colorsys.py": "x = 1\n"})
    assert said(standard) == ("executed", "code", "code: colorsys.py added")


def test_case_06_the_init_of_a_parent_package_is_edited(case: Case) -> None:
    """Case 6: importing ``lib.deep.far`` executes ``lib/__init__.py`` too."""
    case.push()
    again = case.push({"lib/__init__.py": "import builtins\nbuiltins.FACTOR = 5\n"})
    assert said(again) == ("executed", "code", "code: lib/__init__.py changed")
    deeper = case.push({"lib/deep/__init__.py": "DEEP = True\n"})
    assert said(deeper) == ("executed", "code", "code: lib/deep/__init__.py changed")


@pytest.mark.skipif(not COMPILER, reason="there is no C compiler: apt-get install gcc")
@pytest.mark.skipif(not (HEADERS / "Python.h").exists(), reason="Python's headers are missing")
def test_case_07_an_extension_module_of_the_project_is_rebuilt(
    case_of: CaseOf, tmp_path: Path
) -> None:
    """Case 7: the stage runs again, with the library's new bytes."""
    middle = "from lib import fast\n\ndef told():\n    return f'fast {fast.SPEED}'\n"
    name = "lib/fast.abi3.so"
    case = case_of({"lib/middle.py": middle, name: extension(tmp_path, 1)})
    first = case.push()
    assert name in [file["path"] for file in case.record(first)["code"]["files"]]
    assert case.push({"README.md": "Nothing of importance\n"}).statuses == ALL_REUSED
    again = case.push({name: extension(tmp_path, 2)})
    assert again.statuses == MADE_AGAIN
    assert said(again) == ("executed", "code", f"code: {name} changed")
    assert (case.text(first), case.text(again)) == ("fast 1", "fast 2")


def extension(folder: Path, speed: int) -> bytes:
    """Return the compiled module ``fast``, whose constant SPEED is *speed*."""
    source, built = folder / "fast.c", folder / "fast.so"
    source.write_text(
        "#define Py_LIMITED_API 0x03080000\n"
        "#include <Python.h>\n"
        'static struct PyModuleDef fast = {PyModuleDef_HEAD_INIT, "fast", NULL, -1, NULL};\n'
        "PyMODINIT_FUNC PyInit_fast(void) {\n"
        "    PyObject *made = PyModule_Create(&fast);\n"
        f'    PyModule_AddIntConstant(made, "SPEED", {speed});\n'
        "    return made;\n"
        "}\n"
    )
    command = [COMPILER, "-shared", "-fPIC", f"-I{HEADERS}", str(source), "-o", str(built)]
    subprocess.run(command, check=True, capture_output=True)
    return built.read_bytes()
