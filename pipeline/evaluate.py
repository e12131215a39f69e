"""The story of an evaluation, from a commit to its reports, in order.

1. *Accept* happened before: the ledger holds what was asked for, and a worker has the claim.
2. *Prepare*: fetch the commit, lay it out, read its manifest, settle the parameters and which
   batches of datasets are read.
3. *Plan* and 4. *Stages*: each stage gets its key as soon as the results before it are known;
   a key that has a result is reused, the others are executed in the project's environment.
   What becomes a batch of a dataset is published at once.
5. *Report*: papermill executes the template on the stages' outputs.
6. *Render*: the executed notebook becomes a page that says how it came to be.
7. *Answer*: all of it is published in the ledger in one transaction.
8. *Prove*: now and then, what a warm kernel gave is made once more by a cold one. Its reader has
   it by then.

A failure of the project's own code is a result and ends here as one. A failure of ours is
an exception and leaves this module: whoever called ends the run as such.
"""

from functools import partial

from pipeline.attempt import Attempt, Worker, attempting, keeping
from pipeline.data import follows_instants, read_data
from pipeline.environment_prepared import prepare_environment
from pipeline.environments import lock_of
from pipeline.jobs import Made, StageFailedError, make_stage
from pipeline.limits import cut_to_bounds
from pipeline.manifest import manifest_of, read_manifest
from pipeline.plan import Due, report_step, stage_step
from pipeline.previous import previous_key
from pipeline.proof import is_due, prove
from pipeline.publication import publish_report, publish_stage
from pipeline.publish import Outcome, publish
from pipeline.push import cases_of_push, commit_of_push
from pipeline.reporting import Reported, make_report
from pipeline.repository.checkout import Checkout
from pipeline.repository.mirror import Mirror
from pipeline.reproduction.again import begin_again
from pipeline.reproduction.judge import judge
from pipeline.reproduction.original import REPRODUCE, Original, check_same
from pipeline.runlog import keep_log
from pipeline.runner.client import RunnerDiedError, RunnerStoppedError
from pipeline.runner.messages import Failure
from pipeline.situation import Situation, settle
from pipeline.step import Step
from provenance.cache import Entry
from provenance.errors import InvalidInputError, NotFoundError, UnavailableError
from provenance.ledger.cancel import cancel_runs
from provenance.ledger.claims import Claim, cancel_requested, finish, note, postpone
from provenance.ledger.history import key_in
from provenance.ledger.intake import prepare_runs, write_commit
from provenance.ledger.states import REUSABLE, Verdict, verdict_of
from provenance.ledger.tables import Evaluation
from provenance.store import MissingObjectError

_THEIRS = (InvalidInputError, NotFoundError)
"""What can be wrong with a commit: told to its author as a result."""

_UNGOVERNED = (
    "The instant asked for governs nothing of this run: it reads no dataset and no model whose "
    "batch an instant chooses; sources are read as they are now.\n"
)


def prepare_evaluation(claim: Claim, worker: Worker) -> list[str]:
    """Write the runs that a push asks for, and return their ids.

    None are asked for where something is wrong with the commit, or did not answer: the
    evaluation then says so.
    """
    ledger = worker.installation.ledger
    with ledger.reading() as session:
        evaluation = session.get_one(Evaluation, claim.id)
        mirror = Mirror(worker.installation, evaluation.project_id, evaluation.project.url)
    try:
        with keeping(claim, worker):
            commit = commit_of_push(mirror, evaluation)
            with ledger.writing() as session:
                write_commit(session, evaluation.project_id, commit)
            cases = cases_of_push(mirror, evaluation, commit)
    except (UnavailableError, *_THEIRS) as error:
        with ledger.writing() as session:
            again = isinstance(error, UnavailableError) and postpone(session, claim, _told(error))
            if not again:
                finish(session, claim, verdict=Verdict.ERROR, error=_told(error))
        return []
    with ledger.writing() as session:
        runs = prepare_runs(session, session.get_one(Evaluation, claim.id), commit, cases)
        if not runs:
            finish(session, claim, verdict=Verdict.PASSED, error=_NOTHING_ASKED)
        else:
            # From here on it runs as long as its runs do, and nobody holds it.
            note(session, claim, owner=None, lease_until=None, error=None)
            if cancel_requested(session, claim):
                cancel_runs(session, claim.id)
                return []
        return [run.id for run in runs]


_NOTHING_ASKED = {
    "kind": "nothing_asked",
    "message": "No report of this commit runs on a push to this branch.",
    "hint": 'A report with `on = ["push"]` in provenote.toml does.',
}


def evaluate_run(claim: Claim, worker: Worker, local: Checkout | None = None) -> Outcome | None:
    """Carry out one run, and publish it; *local* is a working tree to use as it stands.

    Returns None where the run went back to the queue, because something did not answer.
    """
    with attempting(claim, worker) as attempt:
        original = begin_again(attempt)
        try:
            outcome = _carry_out(attempt, local, original)
        except UnavailableError as error:
            with worker.installation.ledger.writing() as session:
                if postpone(session, claim, _told(error)):
                    return None
            failure = Failure(error.code, error.message, hint=error.hint)
            outcome = _ended(attempt, failure, stage=getattr(error, "stage", None))
        answer = judge(attempt, original, outcome) if original else None
        with worker.installation.ledger.writing() as session:
            attempt.note_rest(session)
            publish(session, claim, attempt.asked, outcome, answer)
            due = original is None and is_due(session, attempt, outcome)
        if due:
            prove(attempt, outcome)
    return outcome


def _carry_out(attempt: Attempt, local: Checkout | None, original: Original | None) -> Outcome:
    """Return how the run ended; each way it can end by the project's doing is an outcome."""
    made: list[Made] = []
    try:
        report = _tell(attempt, local, original, made)
    except StageFailedError as failed:
        return _ended(attempt, failed.failure, made, failed.stage)
    except RunnerStoppedError as stopped:
        if stopped.reason == Verdict.WORKER_LOST:
            raise
        return _ended(attempt, Failure(stopped.reason, stopped.message), made)
    except RunnerDiedError as died:
        return _ended(attempt, Failure("died", died.message), made)
    except MissingObjectError as missing:
        if original is None:
            raise  # something that we had kept is gone: that is nobody's fault but ours
        return _ended(attempt, Failure(missing.code, missing.message), made)
    except _THEIRS as error:
        return _ended(attempt, Failure(error.code, error.message, hint=error.hint), made)
    log = keep_log(attempt, made, report)
    # What was stopped or reused says nothing of how long the next one takes.
    took = attempt.took() if report.verdict in REUSABLE and not report.reused else None
    seconds = attempt.seconds
    return Outcome(report.verdict, made, report, report.failure, None, seconds, log, took)


def _tell(
    attempt: Attempt, local: Checkout | None, original: Original | None, made: list[Made]
) -> Reported:
    """Tell the story of one run; *made* gets each stage as soon as it has its result."""
    situation = _prepare(attempt, local)
    results: dict[str, Entry] = {}
    for stage in situation.manifest.upstream(situation.report):
        step = stage_step(situation, stage, results)
        check_same(original, step)
        one = make_stage(attempt, situation, _due(attempt, situation, step), results)
        one = publish_stage(attempt, situation, one)
        results[stage] = one.entry
        made.append(one)
    step = report_step(situation, results)
    check_same(original, step)
    report = make_report(attempt, situation, _due(attempt, situation, step), made)
    return publish_report(attempt, situation, report)


def _due(attempt: Attempt, situation: Situation, step: Step) -> Due:
    return Due(step, partial(_previous, attempt, situation, step), attempt.asked.force)


def _prepare(attempt: Attempt, local: Checkout | None) -> Situation:
    """Lay the commit out, read its manifest, find its environment, parameters and data."""
    attempt.tell("checkout")
    installation, asked = attempt.installation, attempt.asked
    checkout = local or _checkout(attempt)
    manifest = read_manifest(checkout.tree) if local else manifest_of(checkout)
    environment = prepare_environment(attempt, lock_of(checkout.tree, manifest.environment.from_))
    # From here on: the time that an environment takes is not the report's.
    attempt.limit(manifest.report(asked.report).timeout)
    for sentence in cut_to_bounds(installation.limits, manifest, asked.report):
        attempt.tell("environment", {"event": "log", "text": f"{sentence}\n", "said": True})
    settled = settle(checkout, manifest, environment, asked, installation.checkouts)
    found = read_data(installation, settled, asked.data)
    if asked.purpose != REPRODUCE and asked.data.as_of and not follows_instants(found):
        attempt.tell("environment", {"event": "log", "text": _UNGOVERNED, "said": True})
    return found


def _checkout(attempt: Attempt) -> Checkout:
    asked = attempt.asked
    mirror = Mirror(attempt.installation, asked.project_id, asked.url)
    if found := mirror.laid_out(asked.commit):
        return found
    attempt.show(at_once=True)
    if not mirror.has(asked.commit):
        mirror.fetch()
    return mirror.checkout(mirror.resolve(asked.commit))


def _previous(attempt: Attempt, situation: Situation, step: Step) -> str | None:
    """Return the key that the step had before, to say what has changed since."""
    asked = attempt.asked
    with attempt.installation.ledger.reading() as session:
        if asked.again_of is not None:
            return key_in(session, asked.again_of, step.name)
        return previous_key(session, asked.project_id, asked.case_key, situation, step)


def _ended(
    attempt: Attempt, failure: Failure, made: list[Made] | None = None, stage: str | None = None
) -> Outcome:
    """Return the outcome of a run that came to no report."""
    verdict = verdict_of(failure.kind)
    log = keep_log(attempt, made or [], None, stage)
    return Outcome(verdict, made or [], None, failure, stage, attempt.seconds, log)


def _told(error: InvalidInputError | NotFoundError | UnavailableError) -> dict[str, str]:
    return {"kind": error.code, "message": error.message, "hint": error.hint}
