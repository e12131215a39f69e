import json
from datetime import date

import pytest

from pipeline.manifest_parts.models import Manifest, UnknownReportError, UnknownStageError
from pipeline.parameters import Parameter, ParameterError
from pipeline.repository.tree import MemoryTree
from pipeline.schema import report_schema, stage_params
from pipeline.stages.signature import SignatureError

TEMPLATE = "date = '2013-01-31'  # the day\nn: int = 5\ndepartures = 'a.parquet'\nname = 'x'"


def tree(template: str = TEMPLATE, sql: bytes = b"SELECT :date, :limit") -> MemoryTree:
    cell = {"cell_type": "code", "source": template, "metadata": {}}
    notebook = {"nbformat": 4, "metadata": {}, "cells": [cell]}
    return MemoryTree(
        {
            "a.ipynb": json.dumps(notebook).encode(),
            "q.sql": sql,
            "stages.py": b"def build(departures, threshold, n=3, own=4): ...",
        }
    )


def manifest(**changes: object) -> Manifest:
    content: dict[str, object] = {
        "name": "flights",
        "sources": {"replica": {"url_env": "REPLICA"}},
        "params": {
            "date": {"type": "date", "max": "today", "label": "Day"},
            "limit": {"default": 100, "min": 1},
            "threshold": {"type": "number", "default": 1},
            "unused": {"default": 0},
        },
        "stages": {
            "departures": {"sql": "q.sql", "source": "replica"},
            "features": {"python": "stages:build", "inputs": {"departures": "departures"}},
            "other": {"sql": "q.sql", "source": "replica", "params": ["limit"]},
        },
        "reports": {
            "daily": {
                "template": "a.ipynb",
                "inputs": {"departures": "departures.output", "f": "features"},
                "params": {"n": 7},
            },
            "alone": {"template": "a.ipynb"},
        },
    }
    return Manifest.model_validate(content | changes)


def test_a_report_has_the_parameters_of_its_template_and_of_its_stages() -> None:
    schema = report_schema(tree(), manifest(), "daily")
    assert schema.parameters == (
        Parameter("date", "date", date(2013, 1, 31), maximum="today", label="Day", help="the day"),
        Parameter("n", "int", 7),
        Parameter("name", "text", "x"),
        Parameter("limit", "int", 100, minimum=1),
        Parameter("threshold", "float", 1.0),
    )


def test_a_template_alone_has_its_own_parameters() -> None:
    schema = report_schema(tree(), manifest(), "alone")
    assert schema.names == ("date", "n", "departures", "name")
    assert schema.by_name["n"].default == 5


def test_the_default_of_the_manifest_tells_the_type_of_a_text() -> None:
    params = {"date": {"default": date(2013, 2, 1)}, "n": {"default": 2.0}}
    schema = report_schema(tree(), manifest(params=params), "alone")
    assert schema.by_name["date"] == Parameter("date", "date", date(2013, 2, 1), help="the day")
    assert schema.by_name["n"] == Parameter("n", "int", 2)


def test_a_parameter_that_a_stage_takes_without_default_must_be_given() -> None:
    params = {name: {"type": "int"} for name in ("date", "limit", "threshold")}
    schema = report_schema(tree("n = 1"), manifest(params=params), "daily")
    assert schema.by_name["limit"].required


def test_what_a_stage_takes() -> None:
    declared = manifest()
    assert stage_params(tree(), declared, "departures") == ("date", "limit")
    assert stage_params(tree(), declared, "features") == ("threshold",)
    assert stage_params(tree(), declared, "other") == ("limit",)
    with pytest.raises(UnknownStageError, match="Did you mean 'features'"):
        stage_params(tree(), declared, "feature")
    with pytest.raises(SignatureError, match="not UTF-8"):
        stage_params(tree(sql=b"\xff"), declared, "departures")


def test_all_that_contradicts_itself_is_told() -> None:
    reports = {"daily": {"template": "a.ipynb", "params": {"n": "many", "nmae": "y"}}}
    params = {"date": {"type": "int"}}
    with pytest.raises(ParameterError) as caught:
        report_schema(tree(), manifest(reports=reports, params=params), "daily")
    assert caught.value.message.split("\n") == [
        "date: default: found '2013-01-31' (text), expected a whole number like 3.",
        "n: default: found 'many' (text), expected a whole number like 3.",
        "'nmae' is not a parameter. Did you mean 'name'? There are: date, n, departures, name.",
    ]


def test_an_undeclared_parameter_of_a_stage_is_an_error() -> None:
    with pytest.raises(ParameterError, match=r"limit is taken by a stage .* add \[params.limit\]"):
        report_schema(tree(), manifest(params={"date": {"type": "date"}}), "daily")


def test_an_unknown_report_names_the_nearest() -> None:
    with pytest.raises(UnknownReportError, match=r"flights has no report 'dayly'. Did you mean"):
        report_schema(tree(), manifest(), "dayly")


def test_stages_come_after_those_that_they_read_from() -> None:
    assert manifest().upstream("daily") == ("departures", "features")
    assert manifest().upstream("alone") == ()
