"""The story of one result: what was asked, what it was made from, what was odd about it."""

from collections.abc import Iterator, Mapping
from typing import Any

from provenance.explain.data import inputs_of
from provenance.explain.model import Line, Telling
from provenance.explain.pairs import Kept
from provenance.readings import readings
from provenance.record import Record
from provenance.story import REPORT, JobFacts, Story

MOST_SITES = 5
MOST_PACKAGES = 8


def tell(story: Story, kept: Kept) -> Telling:
    """Return how the result of one run came to be, in order."""
    lines = (
        *_asked(story),
        *_code(story),
        *(line for job in story.jobs for line in _data(job, kept)),
        *(_made(job, story) for job in story.jobs),
        *_environment(story),
        *_results(story),
        *(line for job in story.jobs for line in _odd(job, kept)),
    )
    return Telling(story.id, _sentence(story), lines)


def _sentence(story: Story) -> str:
    run = story.run
    name = f"{run.project} / {run.report}"
    executed = sum(job.status == "executed" for job in story.jobs)
    if REPORT not in story.by_name:
        said = str((run.error or {}).get("message") or "").strip()
        return f"{name} came to no report ({run.verdict or run.status}). {said}".strip()
    if run.reused:
        return f"{name} {run.verdict}: nothing was executed for it, an earlier result stands."
    jobs = "job was" if executed == 1 else "jobs were"
    reused = len(story.jobs) - executed
    return f"{name} {run.verdict}: {executed} {jobs} executed, {reused} reused."


def _asked(story: Story) -> Iterator[Line]:
    run = story.run
    yield Line("asked", "asked by", f"{run.actor}, by {run.trigger}, at {_time(run.created_at)}")
    for name, value in run.params.items():
        origin = run.origins.get(name)
        shown = "none" if value is None else str(value) or '""'
        yield Line("asked", f"param {name}", f"{shown}{f' ({origin})' if origin else ''}")


def _code(story: Story) -> Iterator[Line]:
    run = story.run
    author = f", by {run.author}" if run.author else ""
    branch = f", on {run.branch}" if run.branch else ""
    yield Line("code", "commit", f"{run.subject or run.commit}{author}{branch}", run.commit)
    if run.dirty:
        yield Line("code", "uncommitted", "with changes that were not committed", run.dirty)


def _data(job: JobFacts, kept: Kept) -> Iterator[Line]:
    """Tell what a job took from outside the project: rows of a source, batches of datasets."""
    if job.record is None:
        return
    for one in readings(job.record):
        told = f"{one.rows:,} rows" if one.rows is not None else "its rows"
        as_of = f", as of {_time(one.as_of)}" if one.as_of is not None else ""
        late = f", {one.behind}" if one.behind else ""
        yield Line("data", f"source {one.source}", f"gave {told} to {job.name}{as_of}{late}")
    for name, found in inputs_of(job.record).items():
        if not found.get("batch"):
            continue
        batch = kept.batches(str(found["batch"]))
        if batch is None:
            told = f"{found.get('producer')}, read by {job.name} as {name}"
            yield Line("data", "batch", told, str(found["batch"]))
            continue
        rows_told = f", {batch.rows:,} rows" if batch.rows is not None else ""
        reason = f": {batch.reason}" if batch.reason else ""
        told = (
            f"{batch.word} {batch.number}{rows_told}, published by {batch.actor} on "
            f"{batch.published_at}{reason}; read by {job.name} as {name}"
        )
        yield Line("data", batch.name, told, batch.id)


def _made(job: JobFacts, story: Story) -> Line:
    name = "the report" if job.name == REPORT else job.name
    word = "reused" if job.status == "reused" else "executed"
    if job.record is None:
        lost = "its record is no longer in the store"
        return Line("stage", name, f"{word}: {job.sentence}; {lost}", job.record_id)
    run = job.record.run
    made = f", made by {run['id']}" if job.status == "reused" and run.get("id") else ""
    seconds = f" in {job.seconds:.2f} s" if job.status == "executed" else ""
    told = f"{word}{seconds}: {job.sentence}{made}{_taken(job.record, story)}"
    return Line("stage", name, told, job.record_id)


def _taken(record: Record, story: Story) -> str:
    """Tell what was taken from another execution than the run's own, which gave the same."""
    found = {}
    for told in record.inputs:
        maker = story.by_name.get(str(told.get("producer")))
        named = told.get("producer_record")
        if maker and named and named != maker.record_id and not told.get("batch"):
            found[maker.name] = str(named)
    words = [f"{name} from record {record_id[:12]}" for name, record_id in found.items()]
    have = "have" if len(words) > 1 else "has"
    return f"; it took {', '.join(words)}, which {have} the same content" if words else ""


def _environment(story: Story) -> Iterator[Line]:
    records = [job.record for job in story.jobs if job.record is not None]
    if not records:
        return
    facts = records[-1].environment
    python = f"Python {facts['python']}" if facts.get("python") else "unknown"
    yield Line("environment", "interpreter", f"{python}, {facts.get('platform') or ''}".strip(", "))
    packages = {name: version for record in records for name, version in keyed(record).items()}
    if packages:
        named = [f"{name} {version}" for name, version in sorted(packages.items())]
        more = len(named) - MOST_PACKAGES
        rest = f" and {more} more" if more > 0 else ""
        told = f"{', '.join(named[:MOST_PACKAGES])}{rest}"
        yield Line("environment", "packages in use", told)
    hosts = sorted({str(record.run["host"]) for record in records if record.run.get("host")})
    if hosts:
        yield Line("environment", "executed on", ", ".join(hosts))


def keyed(record: Record) -> dict[str, str]:
    """Return the packages that the code of a record can see, with their versions."""
    environment: Any = record.preimage.get("environment")
    found = environment.get("distributions") if isinstance(environment, Mapping) else None
    told = found if isinstance(found, Mapping) else {}
    return {str(name): str(version).partition(" ")[0] for name, version in told.items()}


def _results(story: Story) -> Iterator[Line]:
    for metric in story.metrics:
        value = "not a number" if metric.value is None else f"{metric.value:g}"
        yield Line("result", metric.name, f"{value} {metric.unit or ''}".strip())
    for ok, message in story.checks:
        yield Line("result", "check held" if ok else "check failed", message)
    if story.run.error and (said := str(story.run.error.get("message") or "")):
        yield Line("result", "error", said)


def _odd(job: JobFacts, kept: Kept) -> Iterator[Line]:
    """Tell what a reader should know before trusting the record of a job."""
    if job.key in kept.odd_keys:
        told = "the same key has given different outputs: something unrecorded has a say"
        yield Line("odd", job.name, told)
    record = job.record
    if record is None:
        yield Line("odd", job.name, "its record is lost: what it was made of is not known")
        return
    if record.run.get("tainted"):
        yield Line(
            "odd", job.name, "its code or a package changed while it ran; it is never reused"
        )
    for site in list(record.code.get("open_sites") or ())[:MOST_SITES]:
        told = f"{site.get('path')}, line {site.get('line')}: {site.get('what')}"
        yield Line("odd", job.name, f"what it imports is decided when it runs: {told}")
    for path, digest in record.observed.items():
        word = "opened" if digest else "looked for"
        yield Line("odd", job.name, f"{word} {path}, which no import or literal names", digest)


def _time(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
