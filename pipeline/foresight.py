"""What a run would do, told without doing it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipeline.installation import Installation
from pipeline.manifest_parts.data import DataInput
from pipeline.manifest_parts.models import stages_of
from pipeline.plan import Due, decide, report_step, stage_step
from pipeline.previous import previous_key
from pipeline.situation import Situation
from pipeline.step import REPORT, Step
from provenance.cache import Entry


@dataclass(frozen=True)
class Foreseen:
    """What would happen with one job: ``reused``, ``execute``, or ``waits``.

    A job waits when something before it is executed: whether it has to be executed as well
    depends on whether that gives other bytes than the last time. Its key is not known yet.
    """

    name: str
    status: str
    key: str | None
    reason: str | None
    sentence: str


def foresee(
    installation: Installation, situation: Situation, project_id: str, case_key: str
) -> list[Foreseen]:
    """Return for each job of a run, in order, what would happen with it now."""
    # Nothing is executed here, so one look at the files is good for all jobs.
    situation = replace(situation, survey=situation.surveyed())
    look = _Look(installation, situation, project_id, case_key)
    entries: dict[str, Entry] = {}
    foreseen: list[Foreseen] = []
    for stage in situation.manifest.upstream(situation.report):
        references = situation.manifest.stage(stage).inputs
        if unknown := _unknown(references, entries):
            foreseen.append(_waiting(stage, unknown))
            continue
        told, entry = look.at(stage_step(situation, stage, entries))
        foreseen.append(told)
        if entry is not None:
            entries[stage] = entry
    if unknown := _unknown(situation.spec.inputs, entries):
        return [*foreseen, _waiting(REPORT, unknown)]
    told, _ = look.at(report_step(situation, entries))
    return [*foreseen, told]


@dataclass(frozen=True)
class _Look:
    """What is known to whoever looks at the jobs of one run."""

    installation: Installation
    situation: Situation
    project_id: str
    case_key: str

    def at(self, step: Step) -> tuple[Foreseen, Entry | None]:
        """Return what would happen with *step*, and its result where it has one."""

        def previous() -> str | None:
            with self.installation.ledger.reading() as session:
                return previous_key(session, self.project_id, self.case_key, self.situation, step)

        decision = decide(self.installation.cache, self.situation, Due(step, previous))
        status = "reused" if decision.entry else "execute"
        told = Foreseen(step.name, status, step.key, decision.reason, decision.sentence)
        return told, decision.entry


def _unknown(inputs: Mapping[str, str | DataInput], entries: Mapping[str, Entry]) -> list[str]:
    """Return the stages among *inputs* whose results are not there yet."""
    return [name for name in stages_of(inputs.values()) if name not in entries]


def _waiting(name: str, unknown: list[str]) -> Foreseen:
    sentence = f"waits for {', '.join(unknown)}: reused if that gives what it gave before"
    return Foreseen(name, "waits", None, None, sentence)
