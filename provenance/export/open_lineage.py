"""OpenLineage run events (https://openlineage.io/spec/2-0-2/OpenLineage.json).

The run is one job with a START and an end; each stage that it executed is another, whose parent
it is. A stage whose result was reused has not run again, so there is no event of it.
"""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from provenance.export.run_facet import run_facet
from provenance.export.subject import Subject
from provenance.record import Output, Record
from provenance.story import REPORT, JobFacts

SCHEMA_URL = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
RUN_FACET_PATH = "/api/v1/schemas/run-facet"
"""Where an installation serves the schema of our own facet."""
_FACETS = "https://openlineage.io/spec/facets"
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_GOOD = ("passed", "failed")
"""Verdicts of runs that came to a report: a check that failed is no failure of the job."""


def run_events(subject: Subject) -> list[dict[str, Any]]:
    """Return the events of a run in the order in which things happened."""
    events = _Events(subject)
    began, ended = subject.times
    found = [events.of_run("START", began)]
    for job, record in subject.made:
        if job.name != REPORT and job.status == "executed":
            found += events.of_stage(job, record)
    good = subject.story.run.verdict in _GOOD
    found.append(events.of_run("COMPLETE" if good else "FAIL", ended))
    return found


def lineage_id(name: str) -> str:
    """Return the UUID that stands for one of our ids, which have 128 bits as well."""
    number = 0
    for digit in name.rpartition("_")[2]:
        number = number << 5 | _DIGITS.index(digit)
    return str(uuid.UUID(int=number & (1 << 128) - 1))


class _Events:
    """Writes the events of one run."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.run = subject.story.run
        self.producer = f"urn:provenote:{subject.place.version}"
        host = urlsplit(subject.place.base_url).netloc
        self.namespace = f"provenote://{host}"

    def of_run(self, kind: str, at: str) -> dict[str, Any]:
        """Return an event of the whole run: it reads what no stage of it made."""
        facets = {
            "provenote": self._own_facet(),
            "processing_engine": self._facet(
                "1-1-1/ProcessingEngineRunFacet", version=self.subject.place.version,
                name="provenote",
            ),
        }  # fmt: skip
        if kind == "FAIL":
            facets["errorMessage"] = self._error()
        job = {"name": f"{self.run.project}.{self.run.report}", "facets": self._job_facets("RUN")}
        made = self.subject.story.by_name.get(REPORT)
        outputs = [self._made(made, output) for output in self.subject.shown] if made else []
        inputs = [found for _, record in self.subject.made for found in self._given(record)]
        run = {"runId": lineage_id(self.run.id), "facets": facets}
        return self._event(kind, at, run=run, job=job, inputs=inputs, outputs=outputs)

    def of_stage(self, job: JobFacts, record: Record) -> Iterator[dict[str, Any]]:
        """Yield start and end of a stage that the run executed."""
        run = {
            "runId": str(uuid.uuid5(uuid.UUID(lineage_id(self.run.id)), job.name)),
            "facets": {"parent": self._parent()},
        }
        facets = self._job_facets("STAGE") | self._sql(record)
        told = {"name": f"{self.run.project}.{self.run.report}.{job.name}", "facets": facets}
        inputs = [*self._given(record), *self._taken(record)]
        outputs = [self._made(job, output) for output in record.outputs]
        for kind, at in (("START", "started_at"), ("COMPLETE", "finished_at")):
            yield self._event(
                kind, str(record.run[at]), run=run, job=told, inputs=inputs, outputs=outputs
            )

    def _event(self, kind: str, at: str, **parts: Any) -> dict[str, Any]:
        job = {"namespace": self.namespace, **parts.pop("job")}
        inputs = {(found["namespace"], found["name"]): found for found in parts.pop("inputs")}
        return {
            "eventType": kind,
            "eventTime": at,
            "producer": self.producer,
            "schemaURL": SCHEMA_URL,
            "job": job,
            "inputs": list(inputs.values()),
            **parts,
        }

    def _facet(self, schema: str, **content: Any) -> dict[str, Any]:
        version, name = schema.split("/")
        url = f"{_FACETS}/{version}/{name}.json#/$defs/{name}"
        return {"_producer": self.producer, "_schemaURL": url, **content}

    def _own_facet(self) -> dict[str, Any]:
        url = f"{self.subject.place.base_url.rstrip('/')}{RUN_FACET_PATH}"
        content = run_facet(self.subject.story, self.subject.run_url)
        return {"_producer": self.producer, "_schemaURL": url, **content}

    def _parent(self) -> dict[str, Any]:
        return self._facet(
            "1-0-1/ParentRunFacet",
            run={"runId": lineage_id(self.run.id)},
            job={"namespace": self.namespace, "name": f"{self.run.project}.{self.run.report}"},
        )

    def _error(self) -> dict[str, Any]:
        error = self.run.error or {}
        content = {
            "message": str(error.get("message") or f"The run ended as {self.run.verdict}."),
            "programmingLanguage": "Python",
        }
        if trace := error.get("traceback"):
            content["stackTrace"] = str(trace)
        return self._facet("1-0-0/ErrorMessageRunFacet", **content)

    def _job_facets(self, kind: str) -> dict[str, Any]:
        where = {"type": "git", "url": self.subject.repository, "version": self.run.commit}
        where |= {"repoUrl": self.subject.repository}
        if self.run.branch:
            where["branch"] = self.run.branch
        types = {"processingType": "BATCH", "integration": "PROVENOTE", "jobType": kind}
        return {
            "sourceCodeLocation": self._facet("1-0-1/SourceCodeLocationJobFacet", **where),
            "jobType": self._facet("2-0-3/JobTypeJobFacet", **types),
        }

    def _sql(self, record: Record) -> dict[str, Any]:
        texts = [query["text"] for query in record.extra.get("queries") or () if "text" in query]
        return {"sql": self._facet("1-0-1/SQLJobFacet", query=texts[0])} if texts else {}

    def _given(self, record: Record) -> Iterator[dict[str, Any]]:
        """Yield what comes from outside the run: batches, content, the source of a query."""
        for found in self.subject.given(record):
            name = str(found.get("producer") or found["name"])
            columns = self.subject.columns.get(str(found.get("batch")))
            yield self._dataset(name, found, columns=columns)
        if source := record.code.get("source"):
            yield {
                "namespace": self.namespace,
                "name": f"source:{self.run.project}/{source}",
                "facets": {"dataSource": self._source(f"source:{source}")},
            }

    def _taken(self, record: Record) -> Iterator[dict[str, Any]]:
        """Yield what other jobs of the run made."""
        for found in record.inputs:
            if made := self.subject.maker(found):
                job, output = made
                yield self._dataset(self._name(job, output), vars(output))

    def _made(self, job: JobFacts, output: Output) -> dict[str, Any]:
        size = self._facet("1-0-2/OutputStatisticsOutputDatasetFacet", size=output.size)
        facets = {"outputFacets": {"outputStatistics": size}}
        return self._dataset(self._name(job, output), vars(output)) | facets

    def _name(self, job: JobFacts, output: Output) -> str:
        stage = self.run.report if job.name == REPORT else job.name
        return f"{self.run.project}/{stage}/{output.name}"

    def _dataset(
        self, name: str, content: Mapping[str, Any], columns: Any = None
    ) -> dict[str, Any]:
        facets = {
            "dataSource": self._source("provenote"),
            "version": self._facet(
                "1-0-1/DatasetVersionDatasetFacet", datasetVersion=str(content["sha256"])
            ),
        }
        if columns:
            fields = [{"name": str(c["name"]), "type": str(c["type"])} for c in columns]
            facets["schema"] = self._facet("1-1-1/SchemaDatasetFacet", fields=fields)
        return {"namespace": self.namespace, "name": name, "facets": facets}

    def _source(self, name: str) -> dict[str, Any]:
        return self._facet("1-0-1/DatasourceDatasetFacet", name=name, uri=self.namespace)
