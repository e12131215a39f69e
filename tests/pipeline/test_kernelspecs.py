"""Kernels by their kernelspecs: which one executes a notebook, what is said of a missing one."""

import json
from pathlib import Path

import pytest

from pipeline.kernelspecs import FoundKernel, UnknownKernelError, kernel_folders, kernel_for
from pipeline.repository.tree import MemoryTree
from pipeline.templates import Template, TemplateError, read_template
from tests.support.repository import notebook

ARGV = ["R", "--slave", "-e", "IRkernel::main()", "--args", "{connection_file}"]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, ...]:
    """A folder of the environment's kernels, and one of the system's."""
    return tmp_path / "inside", tmp_path / "system"


def put(folder: Path, name: str, **told: object) -> Path:
    place = folder / name
    place.mkdir(parents=True)
    body = {"argv": ARGV, "language": "R", "display_name": "R"} | told
    (place / "kernel.json").write_text(json.dumps(body))
    return place


def template(kernel: str, language: str) -> Template:
    content = notebook("x <- 1", kernel=kernel, language=language)
    return read_template(MemoryTree({"fit.ipynb": content.encode()}), "fit.ipynb")


def found(folders: tuple[Path, ...], kernel: str, language: str, wanted: str | None = None):
    return kernel_for(folders, template(kernel, language), wanted)


def test_a_notebook_in_python_has_the_environments_kernel_whatever_it_was_called(folders) -> None:
    put(folders[1], "conda-env", language="python")
    assert found(folders, "conda-env", "python") is None
    assert found(folders, "python3", "python", "python3") is None
    chosen = found(folders, "python3", "python", "conda-env")
    assert chosen is not None, "but the manifest may name another one"
    assert chosen.name == "conda-env"


def test_the_environments_own_kernels_come_before_the_systems(folders) -> None:
    put(folders[1], "ir", env={"WHO": "system"})
    assert found(folders, "ir", "R").env == {"WHO": "system"}
    inside = put(folders[0], "ir", env={"WHO": "inside"}, interrupt_mode="message")
    one = found(folders, "ir", "R")
    assert (one.env, one.folder, one.interrupt_mode) == ({"WHO": "inside"}, str(inside), "message")
    assert kernel_folders(Path("/venv"))[0] == Path("/venv/share/jupyter/kernels")


def test_the_manifest_chooses_over_the_notebook_and_the_language_where_nobody_names_one(
    folders,
) -> None:
    put(folders[1], "ir42")
    put(folders[1], "a-broken-one", argv=[])
    assert found(folders, "ir", "R", "ir42").name == "ir42"
    assert found(folders, "", "R").name == "ir42"


def test_a_missing_kernel_is_told_with_those_that_there_are(folders) -> None:
    with pytest.raises(UnknownKernelError) as caught:
        found(folders, "ir", "R")
    assert caught.value.message == (
        "fit.ipynb asks for the kernel 'ir', which is not installed. There are: python3."
    )
    assert str(folders[0]) in caught.value.hint
    put(folders[1], "irkernel")
    with pytest.raises(UnknownKernelError, match="There are: python3, irkernel") as caught:
        found(folders, "irkernle", "R")
    assert caught.value.hint == "Did you mean 'irkernel'?"
    with pytest.raises(UnknownKernelError) as caught:
        found(folders, "xyz", "R")
    assert 'kernel = "irkernel"' in caught.value.hint
    with pytest.raises(UnknownKernelError, match="a kernel of julia"):
        found(folders, "", "julia")


def test_a_kernel_of_another_language_than_the_notebook_is_refused(folders) -> None:
    put(folders[1], "ir")
    with pytest.raises(TemplateError, match="written in python, and the kernel ir executes R"):
        found(folders, "python3", "python", "ir")


@pytest.mark.parametrize("name", ["../inside/ir", "..", "/etc", "a/b", "ir\0", "ir\n"])
def test_a_name_that_is_a_path_finds_nothing(folders, name: str) -> None:
    put(folders[0], "ir")
    put(folders[1], "other")
    with pytest.raises(UnknownKernelError):
        found(folders, name, "R")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"argv": []}', '{"argv": ["R"], "language": "R"}', "[" * 90_000]
)
def test_a_kernelspec_that_is_none_is_named(folders, text: str) -> None:
    place = put(folders[0], "ir")
    (place / "kernel.json").write_text(text)
    with pytest.raises(UnknownKernelError, match=r"ir/kernel\.json describes no kernel"):
        found(folders, "ir", "R")


def test_a_bare_python_is_the_environments_and_a_key_holds_no_place_of_it() -> None:
    kernel = FoundKernel("octave", "octave", ("python3", "-m", "octave_kernel"), "/x")
    assert kernel.command(Path("/venv")) == ["/venv/bin/python", "-m", "octave_kernel"]
    inside = FoundKernel("bash", "bash", ("/venv/bin/python", "-m", "bash_kernel"), "/x")
    assert inside.keyed(Path("/venv"))["argv"] == ["{environment}/bin/python", "-m", "bash_kernel"]
