"""What a run would do, told without doing it."""

from dataclasses import dataclass, replace

from pipeline.installation import Installation
from pipeline.manifest_parts.models import stages_of
from pipeline.plan import decide, report_step, stage_step
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

    def decided(step: Step) -> tuple[Foreseen, Entry | None]:
        def previous() -> str | None:
            with installation.ledger.reading() as session:
                return previous_key(session, project_id, case_key, situation, step)

        decision = decide(installation.cache, situation, step, previous, force=False)
        status = "reused" if decision.entry else "execute"
        told = Foreseen(step.name, status, step.key, decision.reason, decision.sentence)
        return told, decision.entry

    entries: dict[str, Entry] = {}
    foreseen: list[Foreseen] = []
    for stage in situation.manifest.upstream(situation.report):
        references = situation.manifest.stage(stage).inputs.values()
        if unknown := [name for name in stages_of(references) if name not in entries]:
            foreseen.append(_waiting(stage, unknown))
            continue
        step = stage_step(situation, stage, entries)
        told, entry = decided(step)
        foreseen.append(told)
        if entry is not None:
            entries[stage] = entry
    references = situation.spec.inputs.values()
    if unknown := [name for name in stages_of(references) if name not in entries]:
        return [*foreseen, _waiting(REPORT, unknown)]
    step = report_step(situation, entries)
    told, _ = decided(step)
    return [*foreseen, told]


def _waiting(name: str, unknown: list[str]) -> Foreseen:
    sentence = f"waits for {', '.join(unknown)}: reused if that gives what it gave before"
    return Foreseen(name, "waits", None, None, sentence)
