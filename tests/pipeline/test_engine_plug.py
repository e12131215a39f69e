"""What papermill is given as the engine ``provenote`` answers all that papermill asks of one."""

import inspect

import nbformat
from papermill.engines import Engine, papermill_engines

from pipeline.kernels.engine import NAME
from pipeline.kernels.plug import ENGINE
from tests.support.repository import notebook


def test_papermill_asks_it_for_kernel_and_language() -> None:
    papermill_engines.register(NAME, ENGINE)
    read = nbformat.reads(notebook("x <- 1", kernel="ir", language="R"), as_version=4)
    assert papermill_engines.nb_kernel_name(NAME, read) == "ir"
    assert papermill_engines.nb_kernel_name(NAME, read, "other") == "other"
    assert papermill_engines.nb_language(NAME, read) == "R"


def test_it_has_every_question_that_an_engine_is_asked() -> None:
    asked = {name for name, _ in inspect.getmembers(Engine, inspect.ismethod)}
    assert asked - {"execute_managed_notebook"} <= {name for name in asked if hasattr(ENGINE, name)}
