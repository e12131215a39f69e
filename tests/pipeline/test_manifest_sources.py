"""What a manifest says of sources and of the days that stages cover."""

import pytest

from pipeline.manifest import read_manifest
from tests.support.manifests import edited, only, tree

SOURCE = 'url_env = "FLIGHTS_REPLICA_URL"\n'
STAGE = 'source = "replica"\n'
PYTHON = 'inputs = { departures = "departures" }\n'


@pytest.mark.parametrize(
    ("place", "line", "message"),
    [
        (
            SOURCE,
            'timezone = "America/New_Yrok"',
            "10 sources.replica.timezone: found 'America/New",
        ),
        (SOURCE, 'timezone = "America/New_Yrok"', "Did you mean 'America/New_York'?"),
        (SOURCE, 'timezone = "utc+1"', "expected a name like America/New_York."),
        (SOURCE, 'timezone = "../../etc/passwd"', "Left out, it is UTC."),
        (SOURCE, "timezone = 5", "10 sources.replica.timezone: found 5 (an integer)"),
        (SOURCE, 'freshness = " "', "10 sources.replica.freshness: found an empty text, expected"),
        (SOURCE, 'freshness = "SELECT :date"', "it binds :date, but it is asked without any"),
        (STAGE, 'covers = "day"', "stages.departures.covers: the stage takes no parameter 'day'."),
        (STAGE, 'covers = "dat"', "Did you mean 'date'?"),
        (STAGE, 'covers = "limit"', "the stage takes no parameter 'limit'. It takes: date."),
        (STAGE, "covers = 1", "stages.departures.covers: found 1 (an integer), expected a text"),
        (PYTHON, 'covers = "date"', "stages.features.covers: only sql stages have covers."),
    ],
)
def test_what_cannot_be_is_told(place: str, line: str, message: str) -> None:
    assert message in only(tree(edited((place, f"{place}{line}\n"))))


def test_only_a_date_can_be_covered() -> None:
    query = b"SELECT * FROM flights WHERE day = :date AND n < :limit"
    files = tree(edited((STAGE, f'{STAGE}covers = "limit"\n')), queries_departures_sql=query)
    assert "covers: limit is of type int, expected a date." in only(files)


def test_what_is_said_is_kept() -> None:
    freshness = "SELECT max(loaded_at::date) FROM loads -- :no"
    source = f'{SOURCE}timezone = "America/New_York"\nfreshness = "{freshness}"\n'
    manifest = read_manifest(tree(edited((SOURCE, source), (STAGE, f'{STAGE}covers = "date"\n'))))
    replica = manifest.sources["replica"]
    assert (replica.timezone, replica.freshness) == ("America/New_York", freshness)
    assert manifest.stages["departures"].covers == "date"
    assert read_manifest(tree()).sources["replica"].timezone == "UTC"
