"""What a page says at its end about how it came to be."""

import socket
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.asked import Asked
from pipeline.environments import Environment
from pipeline.rendering.colophon import Colophon, EnvironmentLine, InputLine, StageLine
from pipeline.situation import Situation
from pipeline.step import InputFile, Step, number_word
from provenance.readings import readings

if TYPE_CHECKING:
    from pipeline.jobs import Made
    from pipeline.reporting import Reported


def colophon(
    situation: Situation, asked: Asked, reported: "Reported", made: Sequence["Made"]
) -> Colophon:
    """Return what the page of *reported* says; *made* are the stages that it stands on."""
    return Colophon(
        **_of_code(situation, asked),
        **_of_results(reported),
        params=_values(situation),
        origins=situation.origins,
        inputs=tuple(_input_line(file) for file in reported.step.inputs),
        stages=tuple(_stage_line(one) for one in made),
        environment=_environment_line(situation.environment, reported.step),
        trigger=asked.trigger,
        actor=asked.actor,
        host=socket.gethostname(),
        containment=str(reported.entry.record.run.get("containment", "")),
        provenote_version=version("provenote"),
        reproduce=reproduce_command(situation, asked),
        as_of=situation.as_of,
    )


def reproduce_command(situation: Situation, asked: Asked) -> str:
    """Return the command line that makes the same report again."""
    return asked.reproduce_command(_values(situation), situation.checkout.commit.sha)


def _of_code(situation: Situation, asked: Asked) -> dict[str, Any]:
    commit = situation.checkout.commit
    return {
        "project": situation.manifest.name,
        "report": situation.report,
        "title": situation.spec.title or situation.template.title or situation.report,
        "commit": commit.sha,
        "branch": asked.branch,
        "subject": commit.subject,
        "author": commit.author,
        "committed_at": commit.committed_at,
        "dirty": situation.checkout.dirty,
    }


def _of_results(reported: "Reported") -> dict[str, Any]:
    results = reported.results
    return {
        "key": reported.step.key,
        "verdict": str(reported.verdict),
        "error": reported.failure.message if reported.failure else "",
        "checks": tuple((check.ok, check.message) for check in results.checks),
        "metrics": tuple((one.name, one.value, one.unit, one.better) for one in results.metrics),
        "started_at": datetime.fromisoformat(str(reported.entry.record.run["started_at"])),
        "seconds": reported.seconds,
    }


def _values(situation: Situation) -> dict[str, Any]:
    return {name: typed["value"] for name, typed in situation.typed(situation.params).items()}


def _input_line(file: InputFile) -> InputLine:
    output, batch = file.output, file.batch
    return InputLine(
        file.full_name,
        output.sha256,
        output.size,
        output.media_type,
        file.producer,
        file.producer_key,
        f"{number_word(batch.kind)} {batch.number}" if batch else "",
    )


def _stage_line(made: "Made") -> StageLine:
    """Return a stage with what was read from its source when it was executed."""
    return StageLine(made.step.name, made.step.key, made.status, readings(made.entry.record))


def _environment_line(environment: Environment, step: Step) -> EnvironmentLine:
    """Return how large the environment is, and what the template itself imports of it.

    A template in another language than Python stands on the program that executed it.
    """
    facts, size = environment.facts, len(environment.facts.distributions)
    keyed: Mapping[str, Any] = step.preimage.environment
    if tool := keyed.get("tool"):
        said = str(tool["version"]).partition("\n")[0] or Path(str(tool["path"])).name
        packages: Mapping[str, str] = keyed.get("packages") or {}
        named = {name.removeprefix("r:") for name in step.code["imports"]}
        main = {name: told.split()[0] for name, told in packages.items() if name in named}
        return EnvironmentLine(facts.python, environment.key, size, main, said)
    imported = set(step.code["imports"])
    main = {d.name: d.version for d in facts.distributions if imported.intersection(d.modules)}
    return EnvironmentLine(facts.python, environment.key, size, main)
