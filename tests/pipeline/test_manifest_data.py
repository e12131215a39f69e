"""What a manifest may say of datasets and models, and how it is told what it may not."""

import pytest

from pipeline.manifest import read_manifest
from pipeline.manifest_parts.data import DataInput, PartitionError, filled
from tests.support.manifests import edited, only, tree

IN = '{ departures = "departures", f = "features.table" }'
OUT = 'outputs = ["table", "totals"]'


def with_input(text: str) -> str:
    return edited((IN, f'{{ departures = "departures", f = {text} }}'))


def with_publish(text: str) -> str:
    return edited((OUT, f"{OUT}\npublish = {text}"))


def test_inputs_may_be_partitions_and_models() -> None:
    told = '{ dataset = "sold_items", partition = "{date}", snapshot = "closing" }'
    found = read_manifest(tree(with_input(told)))
    assert found.reports["sanity_check"].inputs["f"] == DataInput(
        dataset="sold_items", partition="{date}", snapshot="closing"
    )
    # What is read from a dataset asks for no stage.
    assert found.upstream("sanity_check") == ("departures",)
    model = read_manifest(tree(with_input('{ model = "delay", version = 3 }')))
    given = model.reports["sanity_check"].inputs["f"]
    assert isinstance(given, DataInput)
    assert (given.kind, given.name, given.partition, given.version) == ("model", "delay", "main", 3)


def test_a_stage_may_publish_one_output_or_several() -> None:
    one = '{ dataset = "table", partition = "{date}/{limit}", output = "table" }'
    other = '{ dataset = "totals", partition = "all", output = "totals" }'
    stage = read_manifest(tree(with_publish(one))).stages["features"]
    assert [(p.dataset, p.partition, p.output) for p in stage.publish] == [
        ("table", "{date}/{limit}", "table")
    ]
    assert stage.partition_params == ("date", "limit")
    several = read_manifest(tree(with_publish(f"[{one}, {other}]"))).stages["features"]
    assert [p.dataset for p in several.publish] == ["table", "totals"]


PLACE = "33 reports.sanity_check.inputs.f: "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{ dataset = "s" }', "partition is missing. All of its partitions are partition"),
        ('{ partition = "x" }', "expected a stage, { dataset"),
        ('{ dataset = "s", model = "m" }', "expected a stage, { dataset"),
        (
            '{ dataset = "s", partiton = "x" }',
            "unknown key 'partiton'; known are: dataset, partition, batch, snapshot. Did you mean "
            "'partition'?",
        ),
        ('{ model = "m", batch = "b" }', "unknown key 'batch'; known are: model, version."),
        ('{ model = "m", version = "3" }', "found version = '3', expected a number from 1."),
        ('{ model = "m", version = 0 }', "found version = 0, expected a number from 1."),
        ('{ dataset = 5, partition = "x" }', "found dataset = 5 (an integer), expected a text."),
        (
            '{ dataset = "s", partition = "x", batch = "b", snapshot = "n" }',
            "found batch and snapshot, expected one of them at most.",
        ),
        ('{ dataset = "s", partition = "*", batch = "b" }', "* means several partitions"),
        ('{ dataset = "a b", partition = "x" }', "'a b' cannot be the name of a dataset"),
        ('{ dataset = "s", partition = "a//b" }', "'a//b' cannot be the name of a partition."),
        ('{ dataset = "s", partition = "{date" }', "'{date' has a brace without its other."),
        (
            '{ dataset = "s", partition = "{dat}" }',
            "{dat} in '{dat}' is no parameter. Did you mean 'date'?",
        ),
        ('{ dataset = "s", partition = "{}" }', "{} in '{}' is no parameter. The parameters:"),
    ],
)
def test_an_input_that_is_none_is_told_with_its_place(text: str, said: str) -> None:
    found = only(tree(with_input(text)))
    assert PLACE in found
    assert said in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5", "features.publish: found 5 (an integer), expected a list."),
        ('{ dataset = "s" }', "features.publish[0].partition: partition is missing."),
        (
            '{ dataset = "s", partition = "x", otput = "table" }',
            "unknown key 'otput'; known are: dataset, partition, output. Did you mean 'output'?",
        ),
        (
            '{ dataset = "s", partition = "x", output = "tabel" }',
            "features.publish: the stage has no output 'tabel'. Did you mean 'table'?",
        ),
        ('{ dataset = "s", partition = "x" }', "output is missing: the stage has several."),
        ('{ dataset = "s", partition = "*", output = "table" }', "'*' cannot be the name of a p"),
        (
            '{ dataset = "s", partition = "{dat}", output = "table" }',
            "features.publish: {dat} in '{dat}' is no parameter. Did you mean 'date'?",
        ),
        (
            '[{ dataset = "s", partition = "x", output = "table" }, '
            '{ dataset = "s", partition = "x", output = "totals" }]',
            "features.publish: s/x stands here twice.",
        ),
    ],
)
def test_what_cannot_be_published_is_told_with_its_place(text: str, said: str) -> None:
    assert said in only(tree(with_publish(text)))


def test_a_partition_is_filled_from_simple_values_only() -> None:
    assert filled("{day}/{number}-{name}", {"day": "2013", "number": 7, "name": "a"}) == "2013/7-a"
    for value in (None, "", "2013-*", 1.5, True, [1]):
        with pytest.raises(PartitionError, match="cannot be made with day"):
            filled("{day}", {"day": value})
