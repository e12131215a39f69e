"""RO-Crate 1.1, by the profiles of Workflow Run Crate: process, workflow and provenance.

https://www.researchobject.org/workflow-run-crate/: each execution of a job is an action, the run
is an action, and an organising action says which step of the workflow each of them carried out.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from provenance.export.crate_files import Chooser
from provenance.export.crate_terms import (
    CONTEXT,
    CRATE,
    METADATA,
    PARAMETER,
    PROFILES,
    TYPES,
    WORKFLOW,
    WORKFLOW_CRATE,
    action_status,
)
from provenance.export.subject import Subject, job_title
from provenance.record import Output, Record
from provenance.story import REPORT, JobFacts

_ENGINE, _RUN, _ORGANISED, _RENDERING = "#provenote", "#run", "#organised", "#rendering"
_GOOD = ("passed", "failed")

Entity = dict[str, Any]


def crate_document(subject: Subject, chooser: Chooser) -> dict[str, Any]:
    """Return the content of ``ro-crate-metadata.json``."""
    graph = _Graph(subject, chooser)
    for position, (job, record) in enumerate(subject.made):
        graph.job(job, record, position)
    for job in subject.earlier:
        if job.record is not None:
            graph.earlier(job, job.record)
    graph.run()
    graph.rendering()
    graph.organise()
    graph.workflow()
    graph.surroundings()
    return {"@context": CONTEXT, "@graph": [*graph.heads(), *graph.entities.values()]}


class _Graph:
    """The entities of a crate, each by its id."""

    def __init__(self, subject: Subject, chooser: Chooser) -> None:
        self.subject = subject
        self.facts = subject.story.run
        self.chooser = chooser
        self.entities: dict[str, Entity] = {}
        self.parts: dict[str, None] = {}
        self.actions: list[str] = []

    def add(self, name: str, kind: str | list[str], /, **told: Any) -> Entity:
        """Add an entity and return a reference to it; one that is there already stays."""
        body = {key: value for key, value in told.items() if value not in (None, [])}
        self.entities.setdefault(name, {"@id": name, "@type": kind, **body})
        return {"@id": name}

    def heads(self) -> Iterator[Entity]:
        """Yield the two entities that every crate begins with."""
        run = self.facts
        conforms = [{"@id": CRATE}, {"@id": WORKFLOW_CRATE}]
        yield {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": conforms,
        }
        yield {
            "@id": "./",
            "@type": "Dataset",
            "name": f"{run.project}: {run.report}, run {run.id}",
            "description": f"The report {run.report} of {run.project} at commit {run.commit}, "
            "with everything that says how it came to be.",
            "datePublished": self.subject.times[1],
            "license": f"Not stated: ask those who answer for {run.project}.",
            "conformsTo": [{"@id": url} for url in PROFILES],
            "hasPart": [{"@id": name} for name in self.parts],
            "mainEntity": {"@id": WORKFLOW},
            "mentions": [{"@id": name} for name in self.actions],
        }

    def job(self, job: JobFacts, record: Record, position: int) -> None:
        """Add a job's tool, the step of the workflow that it is, and its execution."""
        title = job_title(job, record)
        tool = self._application(job.name, job, record)
        step = self.add(
            _step(job), "HowToStep", name=title, position=str(position), workExample=tool
        )
        action = self._execution(job.name, job, record, tool)
        control = f"#control/{quote(job.name)}"
        self.add(control, "ControlAction", name=title, instrument=step, object=action)

    def earlier(self, job: JobFacts, record: Record) -> None:
        """Add an execution that a reused result took in: its code may have been another one."""
        label = f"{job.name}@{str(job.record_id)[:12]}"
        self._execution(label, job, record, self._application(label, job, record))

    def _application(self, label: str, job: JobFacts, record: Record) -> Entity:
        return self.add(
            _tool(label),
            "SoftwareApplication",
            name=job_title(job, record),
            hasPart=[self._source(*found) for found in self.chooser.sources(record)],
            softwareRequirements=_requirements(record),
        )

    def _execution(self, label: str, job: JobFacts, record: Record, tool: Entity) -> Entity:
        name = f"#execution/{job.record_id}"
        self.actions.append(name)
        failed = job.name == REPORT and record.extra.get("verdict", "passed") not in _GOOD
        page = self.add(
            self._part(self.chooser.record(job)),
            "File",
            name=f"record of {job_title(job, record)}",
            encodingFormat="application/json",
            sha256=str(job.record_id),
            about={"@id": name},
        )
        return self.add(
            name,
            "CreateAction",
            name=f"{job_title(job, record)}, {job.status}",
            instrument=tool,
            startTime=record.run.get("started_at"),
            endTime=record.run.get("finished_at"),
            actionStatus=action_status(failed),
            object=[*self._inputs(record), *self._values(record.params, f"{label}/")],
            result=[self._output(job, output) for output in record.outputs],
            subjectOf=page,
        )

    def run(self) -> None:
        """Add the run as a whole: what it was given, what came of it, who asked for it."""
        run = self.facts
        began, ended = self.subject.times
        failed = run.verdict not in _GOOD
        made = self.subject.story.by_name.get(REPORT)
        typed = {name: {"value": value} for name, value in run.params.items()}
        self.actions.insert(0, _RUN)
        self.add(
            _RUN,
            "CreateAction",
            name=f"run {run.id}: {run.verdict}",
            instrument={"@id": WORKFLOW},
            agent=self._actor(),
            startTime=began,
            endTime=ended,
            actionStatus=action_status(failed),
            error=str((run.error or {}).get("message") or run.verdict) if failed else None,
            object=[*self._given(), *self._values(typed, "")],
            result=[self._output(made, output) for output in self.subject.shown] if made else [],
            identifier=self.subject.run_url,
        )

    def rendering(self) -> None:
        """Add how the page came to be that the run shows, where its record has another one."""
        made = self.subject.story.by_name.get(REPORT)
        executed = made.record.output("notebook") if made and made.record else None
        if made is None or executed is None or not self.subject.rendered:
            return
        self.actions.append(_RENDERING)
        self.add(
            _RENDERING,
            "CreateAction",
            name="the text of now around the results that were kept",
            instrument={"@id": _ENGINE},
            object=[self._output(made, executed)],
            result=[self._output(made, output) for output in self.subject.rendered],
        )

    def organise(self) -> None:
        """Add which execution carried out which step of the workflow, and who led them."""
        began, ended = self.subject.times
        self.actions.append(_ORGANISED)
        self.add(
            _ORGANISED,
            "OrganizeAction",
            name=f"provenote {self.subject.place.version}",
            agent=self._actor(),
            instrument={"@id": _ENGINE},
            object=[{"@id": f"#control/{quote(job.name)}"} for job, _ in self.subject.made],
            result={"@id": _RUN},
            startTime=began,
            endTime=ended,
        )

    def workflow(self) -> None:
        """Add the workflow: what the manifest says, as far as this run followed it."""
        run = self.facts
        jobs = [job for job, _ in self.subject.made]
        self._part(WORKFLOW)
        self.add(
            WORKFLOW,
            ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            name=f"{run.project}: {run.report}",
            programmingLanguage={"@id": "#language"},
            encodingFormat="application/json",
            codeRepository=self.subject.repository,
            version=run.commit,
            input=[self._parameter(name, value) for name, value in run.params.items()],
            hasPart=[{"@id": _tool(job.name)} for job in jobs],
            step=[{"@id": _step(job)} for job in jobs],
        )

    def surroundings(self) -> None:
        """Add what the rest refers to: the profiles, the engine, its language."""
        version = self.subject.place.version
        self.add(_ENGINE, "SoftwareApplication", name="provenote", softwareVersion=version)
        self.add("#language", "ComputerLanguage", name="provenote manifest", alternateName="TOML")
        for url, name in PROFILES.items():
            self.add(url, "CreativeWork", name=name, version=url.rpartition("/")[2])

    def _part(self, name: str) -> str:
        """Note that the root holds this file, and return its id."""
        self.parts[name] = None
        return name

    def _output(self, job: JobFacts, output: Output) -> Entity:
        name = self._part(self.chooser.output(job, output))
        return self.add(name, "File", name=output.filename, **_content(vars(output)))

    def _inputs(self, record: Record) -> Iterator[Entity]:
        for found in record.inputs:
            made = self.subject.maker(found)
            yield self._output(*made) if made else self._batch(found)

    def _given(self) -> Iterator[Entity]:
        for _, record in self.subject.made:
            yield from (self._batch(found) for found in self.subject.given(record))

    def _batch(self, found: Mapping[str, Any]) -> Entity:
        """Add an input that the run did not make; its content stays where it is."""
        name = self._part(f"urn:sha256:{found['sha256']}")
        batch = (
            {"identifier": f"urn:provenote:batch:{found['batch']}"} if found.get("batch") else {}
        )
        title = str(found.get("producer") or found["name"])
        return self.add(name, "File", name=title, **_content(found), **batch)

    def _source(self, name: str, path: str, sha256: str) -> Entity:
        kind = ["File", "SoftwareSourceCode"]
        return self.add(self._part(name), kind, name=path, sha256=sha256)

    def _values(self, params: Mapping[str, Any], where: str) -> Iterator[Entity]:
        for name, told in params.items():
            value = told.get("value")
            text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            example = None if where else self._parameter(name, value)
            yield self.add(
                f"#value/{quote(where + name)}",
                "PropertyValue",
                name=name,
                value=text,
                exampleOfWork=example,
            )

    def _parameter(self, name: str, value: Any) -> Entity:
        self.add(PARAMETER, "CreativeWork", name="FormalParameter", version="1.0-RELEASE")
        return self.add(
            f"#parameter/{quote(name)}",
            "FormalParameter",
            name=name,
            additionalType=TYPES.get(type(value).__name__, "Text"),
            conformsTo={"@id": PARAMETER},
        )

    def _actor(self) -> Entity:
        actor = self.facts.actor
        return self.add(f"#actor/{quote(actor, safe='')}", "Person", name=actor)


def _tool(label: str) -> str:
    return f"#tool/{quote(label)}"


def _step(job: JobFacts) -> str:
    return f"{WORKFLOW}#{quote(job.name)}"


def _content(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "encodingFormat": found.get("media_type"),
        "contentSize": str(found.get("size")),
        "sha256": found.get("sha256"),
    }


def _requirements(record: Record) -> list[str]:
    told = record.environment
    packages = told.get("packages") or {}
    return [f"python=={told.get('python')}", *(f"{name}=={packages[name]}" for name in packages)]
