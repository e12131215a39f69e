"""W3C PROV as PROV-JSON (https://www.w3.org/submissions/prov-json/).

A job's execution is an activity, known by its record, so that two runs which share a result
share its activity. Files, code, environment and batches are entities.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from provenance.export.subject import Subject, job_title, sources_of
from provenance.record import Output, Record
from provenance.story import REPORT, JobFacts

PREFIXES = {
    "provenote": "urn:provenote:vocabulary:",
    "execution": "urn:provenote:record:",
    "artifact": "urn:provenote:artifact:",
    "content": "urn:sha256:",
    "code": "urn:provenote:code:",
    "batch": "urn:provenote:batch:",
    "source": "urn:provenote:source:",
    "environment": "urn:provenote:environment:",
    "agent": "urn:provenote:agent:",
}
_SOFTWARE = "agent:provenote"
_ADDRESSES = {"html": "report", "notebook": "notebook"}
"""What the page and the notebook are called below the address of a run."""


def prov_json(subject: Subject) -> dict[str, Any]:
    """Return the run as a PROV document."""
    return _Document(subject).whole()


class _Document:
    """A PROV document that grows: sections of statements, each under a name of its own."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.sections: dict[str, dict[str, Any]] = {}

    def whole(self) -> dict[str, Any]:
        self._agents()
        for job in self.subject.earlier:
            if job.record is not None:
                self._execution(job, job.record)
        for job, record in self.subject.made:
            self._execution(job, record)
        self._run()
        self._rendered()
        self._alternates()
        runs = f"{self.subject.place.base_url.rstrip('/')}/runs/"
        return {"prefix": PREFIXES | {"run": runs}, **self.sections}

    def _state(self, section: str, name: str, body: Mapping[str, Any]) -> str:
        """Make a statement about a thing; a second one about the same thing adds nothing."""
        told = {key: value for key, value in body.items() if value not in (None, [])}
        self.sections.setdefault(section, {}).setdefault(name, told)
        return name

    def _relate(self, section: str, **body: Any) -> None:
        """Make a statement about how things belong together; it needs no name of its own."""
        known = self.sections.setdefault(section, {})
        known[f"_:{section}{len(known) + 1}"] = {
            f"prov:{key}": value for key, value in body.items() if value is not None
        }

    def _agents(self) -> None:
        actor = self.subject.story.run.actor
        software = {"prov:type": _name("prov:SoftwareAgent"), "prov:label": "provenote"}
        self._state("agent", _SOFTWARE, software)
        self._state("agent", _agent(actor), {"prov:label": actor})

    def _run(self) -> None:
        run = self.subject.story.run
        began, ended = self.subject.times
        name = self._state(
            "activity",
            f"run:{run.id}",
            {
                "prov:startTime": began,
                "prov:endTime": ended,
                "prov:type": _name("provenote:Run"),
                "prov:label": f"{run.project}/{run.report}",
                "provenote:commit": run.commit,
                "provenote:branch": run.branch,
                "provenote:repository": self.subject.repository,
                "provenote:trigger": run.trigger,
                "provenote:verdict": run.verdict,
                "provenote:parameters": _json(run.params),
            },
        )
        self._relate("wasAssociatedWith", activity=name, agent=_agent(run.actor))
        self._relate(
            "actedOnBehalfOf", delegate=_SOFTWARE, responsible=_agent(run.actor), activity=name
        )
        for job in self.subject.story.jobs:
            self._relate("wasInformedBy", informed=name, informant=f"execution:{job.record_id}")

    def _rendered(self) -> None:
        """State the page that the run shows where it is not the one of the report's record."""
        run, report = self.subject.story.run, self.subject.story.by_name.get(REPORT)
        if report is None or report.record is None:
            return
        executed = report.record.output("notebook")
        for output in self.subject.rendered:
            facts = {"prov:type": _name("provenote:Artifact"), "prov:label": output.filename}
            name = f"run:{run.id}/{_ADDRESSES[output.name]}"
            self._state("entity", name, _file(vars(output)) | facts)
            ended = self.subject.times[1]
            self._relate("wasGeneratedBy", entity=name, activity=f"run:{run.id}", time=ended)
            if executed is not None:
                source = self._output(report, executed)
                self._relate("wasDerivedFrom", generatedEntity=name, usedEntity=source)

    def _alternates(self) -> None:
        """Relate what an execution gave that was taken from to what the run's own job gave."""
        for old in self.subject.earlier:
            new = self.subject.story.by_name.get(old.name)
            for output in old.record.outputs if old.record else ():
                same = new.record.output(output.name) if new and new.record else None
                if new is not None and same is not None and same.sha256 == output.sha256:
                    now, then = self._output(new, same), self._output(old, output)
                    self._relate("alternateOf", alternate1=now, alternate2=then)

    def _execution(self, job: JobFacts, record: Record) -> None:
        activity = self._state(
            "activity",
            f"execution:{job.record_id}",
            {
                "prov:startTime": record.run.get("started_at"),
                "prov:endTime": record.run.get("finished_at"),
                "prov:type": _name(f"provenote:{record.kind}"),
                "prov:label": job_title(job, record),
                "provenote:key": record.key,
                "provenote:parameters": _json(
                    {name: told.get("value") for name, told in record.params.items()}
                ),
            },
        )
        self._relate("wasAssociatedWith", activity=activity, agent=_SOFTWARE)
        inputs = [self._input(activity, found) for found in record.inputs]
        self._code(activity, record)
        self._environment(activity, record)
        outputs = [self._output(job, output) for output in record.outputs]
        for output in outputs:
            ended = record.run.get("finished_at")
            self._relate("wasGeneratedBy", entity=output, activity=activity, time=ended)
            for found in inputs:
                self._relate(
                    "wasDerivedFrom", generatedEntity=output, usedEntity=found, activity=activity
                )

    def _input(self, activity: str, found: Mapping[str, Any]) -> str:
        made = self.subject.maker(found)
        entity = self._output(*made) if made else self._given(found)
        self._relate("used", activity=activity, entity=entity, role=str(found["name"]))
        return entity

    def _given(self, found: Mapping[str, Any]) -> str:
        """State an input that no job of this run made: a batch, or just content."""
        facts = _file(found)
        if batch := found.get("batch"):
            where = {
                "prov:type": _name("provenote:Batch"),
                "prov:label": str(found.get("producer")),
                "provenote:dataset": found.get("dataset"),
                "provenote:partition": found.get("partition"),
            }
            return self._state("entity", f"batch:{quote(str(batch), safe='')}", facts | where)
        where = {"prov:label": str(found.get("producer"))}
        where |= {"provenote:record": found.get("producer_record")}
        return self._state("entity", f"content:{found['sha256']}", facts | where)

    def _output(self, job: JobFacts, output: Output) -> str:
        name = f"artifact:{job.record_id}/{quote(output.name, safe='')}"
        facts = {"prov:type": _name("provenote:Artifact"), "prov:label": output.filename}
        return self._state("entity", name, _file(vars(output)) | facts)

    def _code(self, activity: str, record: Record) -> None:
        for path, sha256, observed in sources_of(record):
            entity = self._state(
                "entity",
                f"code:{sha256}/{quote(path, safe='')}",
                {
                    "prov:type": _name("provenote:Code"),
                    "prov:label": path,
                    "provenote:sha256": sha256,
                    "provenote:path": path,
                },
            )
            role = "observed" if observed else "code"
            self._relate("used", activity=activity, entity=entity, role=role)
        if source := record.code.get("source"):
            entity = f"source:{quote(str(source), safe='')}"
            facts = {"prov:type": _name("provenote:Source"), "prov:label": str(source)}
            self._state("entity", entity, facts)
            self._relate("used", activity=activity, entity=entity, role="source")

    def _environment(self, activity: str, record: Record) -> None:
        told = record.environment
        packages = told.get("packages") or {}
        entity = self._state(
            "entity",
            f"environment:{told.get('key')}",
            {
                "prov:type": _name("provenote:Environment"),
                "prov:label": f"Python {told.get('python')}",
                "provenote:python": told.get("python"),
                "provenote:platform": told.get("platform"),
                "provenote:package": [f"{name} {packages[name]}" for name in sorted(packages)],
            },
        )
        self._relate("used", activity=activity, entity=entity, role="environment")


def _agent(actor: str) -> str:
    return f"agent:person/{quote(actor, safe='')}"


def _name(name: str) -> dict[str, str]:
    """Return a value that is itself a name."""
    return {"$": name, "type": "prov:QUALIFIED_NAME"}


def _file(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "provenote:sha256": found.get("sha256"),
        "provenote:size": found.get("size"),
        "provenote:mediaType": found.get("media_type"),
    }


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), sort_keys=True, ensure_ascii=False)
