import json
from dataclasses import replace
from datetime import date

import pytest

from provenance.errors import InvalidInputError
from provenance.identity.canonical import UncanonicalError
from provenance.identity.key import Preimage, why

A, B, C = "a" * 64, "b" * 64, "c" * 64

FEATURES = Preimage(
    kind="python",
    stage="features",
    code={
        "entry": "stages.features:build",
        "files": {"stages/__init__.py": A, "stages/features.py": B},
    },
    params={"date": date(2013, 1, 31), "limit": 5},
    inputs={"departures": A, "weather": B},
    outputs=("output",),
    environment={
        "implementation": "CPython",
        "python": "3.11.7",
        "abi": "cpython-311",
        "platform": "x86_64-linux",
        "distributions": {"numpy": "2.4.6 record:aa", "pandas": "3.1.0 record:bb"},
    },
)


def with_code(**changes):
    return replace(FEATURES, code={**FEATURES.code, **changes})


def with_environment(**changes):
    return replace(FEATURES, environment={**FEATURES.environment, **changes})


def test_what_was_never_made_is_new():
    assert why(None, FEATURES).code == "new"
    assert why(None, FEATURES).sentence == "new: never made before"


def test_equal_preimages_have_one_key_and_no_difference():
    again = replace(FEATURES, params=dict(reversed(FEATURES.params.items())))
    assert again.key == FEATURES.key
    assert why(FEATURES, again).code == "same"
    assert len(FEATURES.key) == 64


@pytest.mark.parametrize(
    ("new", "code", "sentence"),
    [
        (
            with_code(files={"stages/__init__.py": A, "stages/features.py": C}),
            "code",
            "code: stages/features.py changed",
        ),
        (
            with_code(files={"stages/__init__.py": A, "stages/features/__init__.py": C}),
            "code",
            "code: stages/features.py removed, stages/features/__init__.py added",
        ),
        (
            with_code(entry="stages.features:make"),
            "code",
            "code: entry stages.features:build → stages.features:make",
        ),
        (replace(FEATURES, kind="sql"), "code", "code: kind python → sql"),
        (
            replace(FEATURES, outputs=("output", "rest")),
            "code",
            "code: declared outputs output → output, rest",
        ),
        (
            replace(FEATURES, params={"date": date(2013, 2, 28), "limit": 5}),
            "params",
            "params: date 2013-01-31 → 2013-02-28",
        ),
        (
            replace(FEATURES, params={"date": date(2013, 1, 31), "limit": 5.0}),
            "params",
            "params: limit 5 → 5.0",
        ),
        (
            replace(FEATURES, params={"date": "2013-01-31", "limit": "5"}),
            "params",
            "params: date 2013-01-31 (date) → 2013-01-31 (text), limit 5 (int) → 5 (text)",
        ),
        (
            replace(FEATURES, params={"date": date(2013, 1, 31), "top": 3}),
            "params",
            "params: limit removed (5), top added (3)",
        ),
        (
            replace(FEATURES, inputs={"departures": C, "weather": B}),
            "inputs",
            "inputs: departures changed",
        ),
        (
            replace(FEATURES, inputs={"departures": B, "weather": A}),
            "inputs",
            "inputs: departures changed, weather changed",
        ),
        (
            replace(FEATURES, inputs={"departures": A, "planes": B}),
            "inputs",
            "inputs: planes added, weather removed",
        ),
        (
            with_environment(
                distributions={"numpy": "2.4.6 record:aa", "pandas": "3.1.1 record:cc"}
            ),
            "environment",
            "environment: pandas 3.1.0 → 3.1.1",
        ),
        (
            with_environment(distributions={"pandas": "3.1.0 record:cc", "pyarrow": "26 record:d"}),
            "environment",
            "environment: numpy 2.4.6 removed, pandas 3.1.0 has other files than before, "
            "pyarrow 26 added",
        ),
        (with_environment(python="3.12.1"), "environment", "environment: python 3.11.7 → 3.12.1"),
        (with_environment(image=A), "environment", "environment: image added"),
    ],
)
def test_each_difference_changes_the_key_and_is_named(new, code, sentence):
    assert new.key != FEATURES.key
    reason = why(FEATURES, new)
    assert (reason.code, reason.sentence) == (code, sentence)


def test_several_differences_are_all_named_and_the_first_gives_the_code():
    new = replace(with_environment(python="3.12.1"), params={"date": date(2013, 2, 28), "limit": 5})
    new = replace(new, inputs={"departures": C, "weather": B})
    reason = why(FEATURES, new)
    assert reason.code == "params"
    assert reason.sentence == (
        "params: date 2013-01-31 → 2013-02-28; inputs: departures changed; "
        "environment: python 3.11.7 → 3.12.1"
    )


QUERY = replace(FEATURES, kind="sql", code={"text": A, "source": "replica"})
REPORT = replace(FEATURES, kind="notebook", code={"cells": [A, B, C, A], "kernel": "python3"})


@pytest.mark.parametrize(
    ("old", "code", "sentence"),
    [
        (QUERY, {"text": B, "source": "replica"}, "code: query text changed"),
        (QUERY, {"text": A, "source": "archive"}, "code: source replica → archive"),
        (REPORT, {"cells": [A, B, C, B], "kernel": "python3"}, "code: template cell 4 changed"),
        (REPORT, {"cells": [A, C, B, C, A], "kernel": "python3"}, "code: template cell 2 added"),
        (REPORT, {"cells": [A, B, A], "kernel": "python3"}, "code: template cell 3 removed"),
        (REPORT, {"cells": [A, B, C, A], "kernel": "ir"}, "code: kernel python3 → ir"),
        (
            REPORT,
            {"cells": (A, B, C, A), "kernel": "python3", "files": {"lib/plots.py": A}},
            "code: lib/plots.py added",
        ),
    ],
)
def test_code_of_queries_and_reports_is_told_in_their_words(old, code, sentence):
    reason = why(old, replace(old, code=code))
    assert (reason.code, reason.sentence) == ("code", sentence)


def test_a_long_list_of_files_is_counted():
    files = {f"stages/part_{number:02}.py": A for number in range(40)}
    sentence = why(FEATURES, with_code(files={**files, **FEATURES.code["files"]})).sentence
    assert "stages/part_00.py added" in sentence
    assert sentence.endswith("and 28 more")


def test_a_preimage_read_back_from_json_has_the_same_key():
    stored = json.loads(json.dumps(REPORT.to_json()))
    again = Preimage.from_json(stored)
    assert again == REPORT
    assert again.key == REPORT.key
    assert why(REPORT, again).code == "same"


def test_a_stored_preimage_of_another_version_is_refused():
    with pytest.raises(InvalidInputError, match=r"key:v9.*key:v1"):
        Preimage.from_json({**FEATURES.to_json(), "version": "key:v9"})
    partial = FEATURES.to_json()
    del partial["inputs"]
    with pytest.raises(InvalidInputError, match="lacks inputs"):
        Preimage.from_json(partial)


def test_an_unsupported_parameter_is_an_error_and_never_left_out():
    bad = replace(FEATURES, params={"model": object()})
    with pytest.raises(UncanonicalError, match=r"\['model'\]"):
        _ = bad.key


def test_parts_are_delimited():
    one = replace(FEATURES, stage="v1", kind="0")
    other = replace(FEATURES, stage="v", kind="10")
    assert one.key != other.key


def test_swapping_two_parameter_values_changes_the_key():
    one = replace(FEATURES, params={"x": 1, "y": 2})
    other = replace(FEATURES, params={"x": 2, "y": 1})
    assert one.key != other.key
    assert why(one, other).sentence == "params: x 1 → 2, y 2 → 1"
