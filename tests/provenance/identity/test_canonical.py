import json
import math
import os
import subprocess
import sys
from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import InvalidInputError
from provenance.identity.canonical import (
    EnumMember,
    UncanonicalError,
    canonical,
    decode,
    digest,
    encode,
)

REPOSITORY = Path(__file__).parents[3]


class Colour(Enum):
    RED = 1
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1


EARLY, LATE = map(datetime.fromisoformat, ("1990-01-01", "2090-01-01"))
ZONES = st.sampled_from(
    [UTC, timezone(timedelta(hours=-5, minutes=-30)), ZoneInfo("Europe/Paris"), ZoneInfo("UTC")]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.binary(max_size=8)
    | st.dates()
    | st.datetimes(EARLY, LATE, timezones=ZONES)
    | st.decimals()
    | st.sampled_from([*Colour, Level.LOW])
)
KEYS = st.text(max_size=4) | st.integers() | st.booleans() | st.dates()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.frozensets(KEYS, max_size=4)
        | st.dictionaries(st.text(max_size=4), inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


def identical(one: object, other: object) -> bool:
    """Whether two values have the same types and contents all the way down."""
    if type(one) is not type(other):
        return False
    match one:
        case float():
            same = one.hex() == other.hex()
        case Decimal():
            same = str(one) == str(other)
        case datetime():
            same = one == other and str(one.tzinfo) == str(other.tzinfo)
        case list() | tuple():
            same = len(one) == len(other) and all(map(identical, one, other))
        case frozenset():
            same = {(type(x), x) for x in one} == {(type(x), x) for x in other}
        case dict():
            here = {(type(key), key): value for key, value in one.items()}
            there = {(type(key), key): value for key, value in other.items()}
            same = here.keys() == there.keys()
            same = same and all(identical(here[key], there[key]) for key in here)
        case _:
            same = one == other
    return same


@given(VALUES, VALUES)
def test_two_values_share_their_bytes_only_if_they_are_identical(one, other):
    assert (canonical(one) == canonical(other)) == identical(one, other)


@given(VALUES)
def test_a_value_read_back_from_json_keeps_its_bytes(value):
    stored = json.loads(json.dumps(encode(value)))
    assert canonical(decode(stored)) == canonical(value)


@given(st.dictionaries(KEYS, SCALARS, max_size=6))
def test_insertion_order_of_a_mapping_does_not_count(value):
    assert canonical(dict(reversed(value.items()))) == canonical(value)


LOOKALIKES = [
    None, False, True, 0, 1, -1, 0.0, -0.0, 1.0, math.nan, math.inf, -math.inf, "", "1", "1.0",
    "null", "nan", "None", b"", b"1", Decimal(1), Decimal("1.0"), Decimal("NaN"), [], (), {},
    frozenset(), [1], (1,), frozenset([1]), [[1]], {"1": 1}, {1: 1}, {True: 1}, {"a": 1, 1: 1},
    ["int", "1"], ("int", "1"), [["int", "1"]], ["list", []], ["a", "b"], ["ab"], ["a", ["b"]],
    [None], [""], "2013-01-31", date(2013, 1, 31), datetime(2013, 1, 31, tzinfo=UTC),
    datetime(2013, 1, 31, tzinfo=ZoneInfo("Europe/Paris")), Colour.RED, Level.LOW, "\u00e9",
    "e\u0301", "\ud800", ["str", "eda080"], 2**53, 2**53 + 1, float(2**53), str(2**53),
    {"a": {"b": 1}}, {"a": 1, "b": 1}, {"int": "1"}, "RED", 10**9000,
]  # fmt: skip


def test_values_that_look_alike_differ():
    encoded = {canonical(value) for value in LOOKALIKES}
    assert len(encoded) == len(LOOKALIKES)


def test_nan_is_stable():
    assert canonical(math.nan) == canonical(float("nan")) == canonical(-math.inf + math.inf)


def test_equal_sets_are_equal_frozen_or_not():
    assert canonical({1, 2}) == canonical(frozenset([2, 1]))


def test_the_same_instant_in_another_zone_is_another_value():
    paris = datetime(2013, 7, 1, 12, tzinfo=ZoneInfo("Europe/Paris"))
    assert canonical(paris) != canonical(paris.astimezone(UTC))
    assert canonical(paris) == canonical(paris.astimezone(UTC).astimezone(paris.tzinfo))


def test_a_repeated_hour_keeps_its_two_instants_apart():
    zone = ZoneInfo("Europe/Paris")
    first = datetime(2013, 10, 27, 2, 30, tzinfo=zone)
    assert canonical(first) != canonical(first.replace(fold=1))


def test_a_member_counts_with_its_value():
    renumbered = Enum("Colour", {"RED": 2}, module=Colour.__module__, qualname="Colour")
    assert canonical(renumbered.RED) != canonical(Colour.RED)
    assert decode(encode(Colour.RED)) == EnumMember(f"{__name__}.Colour", "RED", 1)


class Elsewhere(tzinfo):
    def utcoffset(self, moment):
        return timedelta(hours=1)


@pytest.mark.parametrize(
    ("value", "place", "kind"),
    [
        ({"model": [1, object()]}, "value['model'][1]", "object"),
        ({"at": time(1)}, "value['at']", "datetime.time"),
        ([np.float64(1.0)], "value[0]", "numpy.float64"),
        ([OrderedDict()], "value[0]", "collections.OrderedDict"),
        ({1: {2: 3j}}, "value[1][2]", "complex"),
        ({(1, range(2)): 1}, "value key (1, range(0, 2))[1]", "range"),
        ([datetime(2013, 1, 1)], "value[0]", "without a time zone"),  # noqa: DTZ001
        ([datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))], "value[0]", "outside"),
        ([datetime(2013, 1, 1, tzinfo=Elsewhere())], "value[0]", "Elsewhere"),
    ],
)
def test_an_unsupported_value_is_refused_with_its_place_and_type(value, place, kind):
    with pytest.raises(UncanonicalError) as caught:
        canonical(value)
    assert caught.value.path == place
    assert kind in caught.value.message


def test_a_subclass_is_refused_with_the_way_out():
    with pytest.raises(UncanonicalError, match=r"Convert it with float\(\.\.\.\)"):
        canonical(np.float64(1.0))


def test_a_value_that_contains_itself_is_refused():
    value: list[object] = []
    value.append(value)
    with pytest.raises(UncanonicalError, match="contain itself"):
        canonical(value)


@pytest.mark.parametrize("data", [3, ["unknown", 1], [], [["int"]], ["int", "x"], ["decimal", "q"]])
def test_reading_what_was_never_stored_is_an_error(data):
    with pytest.raises(InvalidInputError, match="not a stored value"):
        decode(data)


def test_digests_of_different_kinds_differ():
    assert digest("a", 1) != digest("b", 1)
    with pytest.raises(ValueError, match="one line"):
        digest("a\n", 1)


def test_ten_hash_seeds_give_one_digest():
    program = (
        "from provenance.identity.canonical import digest\n"
        "words = [f'word {n}' for n in range(40)]\n"
        "print(digest('k', {'set': set(words), 'frozen': frozenset(map(str.encode, words)),"
        " 'dict': {w: {w, 1, None} for w in set(words)}, 'keys': {(w, 1): w for w in set(words)}}))"
    )
    found = set()
    for seed in range(10):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        answer = subprocess.run(
            [sys.executable, "-c", program],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(answer.stdout)
    assert len(found) == 1


@given(VALUES)
def test_what_is_written_is_what_rfc_8785_says(value):
    assert canonical(value) == rfc8785.dumps(encode(value))


@pytest.mark.parametrize(
    "names", [("a", "B", "\x7f"), ("\ue000", "\U00010000"), ("\n", "\x1f", '"', "\\"), ("é", "z")]
)
def test_names_stand_in_the_order_of_rfc_8785(names):
    value = dict.fromkeys(names, "\x00\b\f\n\r\t\x1f\x7f\u2028/")
    assert canonical(value) == rfc8785.dumps(value)
    assert canonical(dict(reversed(value.items()))) == canonical(value)
