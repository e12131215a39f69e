"""Whether what a manifest says of a source can be."""

from zoneinfo import available_timezones

from pipeline.manifest_parts.models import SourceSpec
from pipeline.manifest_parts.problems import Path, Problems
from pipeline.stages.signature import sql_binds
from provenance.nearest import did_you_mean, shown


def check_source(name: str, source: SourceSpec, problems: Problems) -> None:
    """Note what is wrong with the source *name*, its address excepted."""
    _check_timezone(("sources", name, "timezone"), source.timezone, problems)
    if source.freshness is not None:
        _check_freshness(("sources", name, "freshness"), source.freshness, problems)


def _check_timezone(path: Path, found: str, problems: Problems) -> None:
    known = available_timezones()
    if found not in known:
        alike = sorted(zone for zone in known if zone[:1] == found[:1].upper())
        hint = did_you_mean(found, alike) or "Left out, it is UTC."
        problems.add(path, f"found {shown(found)}, expected a name like America/New_York.", hint)


def _check_freshness(path: Path, query: str, problems: Problems) -> None:
    if not query.strip():
        problems.add(path, "found an empty text, expected a query.", "Leave it out.")
    elif binds := sql_binds(query):
        problems.add(path, f"it binds :{binds[0]}, but it is asked without any parameter.")
