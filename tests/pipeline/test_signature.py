import pytest

from pipeline.repository.tree import MemoryTree
from pipeline.stages.signature import (
    Argument,
    SignatureError,
    read_signature,
    split_entry,
    sql_binds,
    with_escaped_colons,
)

MODULE = b"""
import pandas as pd
from .other import helper

@decorated
def build(departures: pd.DataFrame, date, *, limit: "int" = 5):
    raise SystemExit

async def later(x):
    ...

def anything(*things): ...
def named(**things): ...
def placed(a, /): ...
class build_it: ...
if True:
    def inside(a): ...
"""


def tree(path: str = "stages/features.py", content: bytes = MODULE) -> MemoryTree:
    return MemoryTree({path: content, "queries/a.sql": b""})


@pytest.mark.parametrize(
    "path",
    [
        "stages/features.py",
        "stages/features/__init__.py",
        "src/stages/features.py",
        "src/stages/features/__init__.py",
    ],
)
def test_the_signature_is_read_without_running_the_module(path: str) -> None:
    found = read_signature(tree(path), "stages.features:build")
    assert (found.path, found.line, found.function) == (path, 6, "build")
    assert found.arguments == (
        Argument("departures", "pd.DataFrame", required=True),
        Argument("date", None, required=True),
        Argument("limit", "'int'", required=False),
    )
    assert found.names == ("departures", "date", "limit")


def test_a_function_below_an_if_is_found() -> None:
    assert read_signature(tree(), "stages.features:inside").names == ("a",)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("stages.features", "found 'stages.features', expected a module and a function like"),
        ("stages/features.py:build", "found 'stages/features.py:build', expected a module"),
        ("stages.features:", "expected a module and a function"),
        ("stages.feature:build", "no module stages.feature: neither stages/feature.py nor"),
        ("stages.feature:build", "Did you mean 'stages/features.py'?"),
        ("stages.features:biuld", "stages/features.py defines no function biuld(); its functions:"),
        ("stages.features:biuld", "Did you mean 'build'?"),
        ("stages.features:helper", "only imports helper() from .other (line 3). Name the module"),
        ("stages.features:build_it", "defines no function build_it()"),
        ("stages.features:later", "later() in stages/features.py, line 9, is async"),
        ("stages.features:anything", "takes *things; a stage is given what its signature names"),
        ("stages.features:named", "takes **things; a stage is given"),
        ("stages.features:placed", "takes a by position only"),
    ],
)
def test_a_stage_that_cannot_be_called_is_explained(entry: str, message: str) -> None:
    with pytest.raises(SignatureError) as caught:
        read_signature(tree(), entry)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"def build(:\n", "stages/features.py, line 1: "),
        (b"x = '\xff'", "stages/features.py"),
        (b"\0", "stages/features.py"),
        (b"(" * 5000, "stages/features.py"),
        (b"", "its functions: none."),
    ],
)
def test_a_module_that_is_not_python_is_an_error_of_its_own(content: bytes, message: str) -> None:
    with pytest.raises(SignatureError) as caught:
        read_signature(tree(content=content), "stages.features:build")
    assert message in str(caught.value)


def test_an_entry_is_module_and_function() -> None:
    assert split_entry("a.b:c") == ("a.b", "c")


SQL = """
-- :comment and :another
SELECT ':text', "na:me :quoted", `x :tick`, 'it''s :here', x::date, '12:30'
FROM flights /* :block
:lines */ WHERE day = :date AND n > :n AND d2 = :date AND y \\:= 3 AND a[1:2] = :_z
"""


def test_binds_are_found_only_where_sql_has_them() -> None:
    assert sql_binds(SQL) == ("date", "n", "_z")
    assert sql_binds("SELECT 1") == ()
    assert sql_binds("SELECT ':open :date") == ()


def test_sqlalchemy_sees_the_same_binds_and_the_same_texts() -> None:
    from sqlalchemy import create_engine, text

    statement = text(with_escaped_colons("SELECT ':no' AS a, :yes AS b -- :no"))
    assert set(statement.compile().params) == {"yes"}
    with create_engine("sqlite://").connect() as connection:
        assert tuple(connection.execute(statement, {"yes": 5}).one()) == (":no", 5)
