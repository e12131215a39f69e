"""That what warm kernels give is proved by cold ones, and what comes of a difference."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from pipeline.proof_place import ProofPlace
from provenance.ledger.claims import Claim
from provenance.ledger.environment_tables import KernelProof
from provenance.ledger.kernel_proofs import DIFFERS, EQUAL, NONDETERMINISTIC, trust
from provenance.ledger.tables import Run
from tests.pipeline.weather import single
from tests.support.evaluations import Bench, Told
from tests.support.repository import Repository, notebook

MakeRepository = Callable[..., Repository]
HONEST = """\
import datetime, os, uuid, provenote
provenote.metric("rows", 4)
provenote.output("rows.csv").write_text("a\\n4\\n")
print(object(), os.getcwd(), os.getpid() > 1, datetime.datetime.now(), uuid.uuid4())
"""
TELLTALE = "import sys\nprint('colorsys' in sys.modules)\nimport colorsys"
"""Looks for what a warm kernel has imported beforehand: the manifest says so."""
PRELOAD = '[environment]\npreload = ["colorsys"]\n'


@pytest.fixture
def proving(evaluate: Bench) -> Iterator[Bench]:
    """A bench whose every warm run is proved."""
    evaluate.proof_runs = 1
    yield evaluate
    assert list(evaluate.installation.work.iterdir()) == [], "nothing of a proof is left"


def project(git_project: MakeRepository, *cells: str) -> Repository:
    return git_project(single(notebook("# A", "level = 1", *cells), PRELOAD))


def again(evaluate: Bench, repository: Repository) -> Told:
    return evaluate.execute(evaluate.ask(repository, "daily", force=True))


def proofs(evaluate: Bench) -> list[KernelProof]:
    with evaluate.installation.ledger.reading() as session:
        return list(session.scalars(select(KernelProof)))


def test_an_honest_report_is_proved_and_its_run_says_so(
    proving: Bench, git_project: MakeRepository
) -> None:
    run = proving(project(git_project, HONEST)).run
    assert run.verdict == "passed"
    assert (run.row.kernel, run.row.proof) == ("warm", EQUAL)
    assert run.record["run"]["kernel"] == "warm"
    (proof,) = proofs(proving)
    assert (proof.environment, proof.modules) == (run.row.environment, ["colorsys"])
    assert (proof.runs, proof.proved, proof.outcome, proof.run_id) == (1, 1, EQUAL, run.row.id)
    assert (proof.off_at, proof.told) == (None, None)


def test_what_looks_at_its_kernel_turns_warm_kernels_off_until_somebody_trusts_them(
    proving: Bench, git_project: MakeRepository
) -> None:
    repository = project(git_project, TELLTALE)
    with capture_logs() as logs:
        shown = proving(repository).run
    assert (shown.verdict, shown.row.kernel, shown.row.proof) == ("passed", "warm", DIFFERS)
    assert "True" in shown.printed, "what was published stays"
    (proof,) = proofs(proving)
    assert (proof.outcome, proof.run_id, proof.proved) == (DIFFERS, shown.row.id, 0)
    assert proof.off_at is not None
    assert proof.told is not None
    assert proof.told["sentence"] == "In cell 3, the warm kernel gave True, a cold one False."
    (loud,) = [one for one in logs if one["log_level"] == "error"]
    assert (loud["event"], loud["run"]) == ("warm kernels are off", shown.row.id)

    other = replace(proving, installation=replace(proving.installation), proof_runs=0)
    later = again(other, repository)
    assert (later.row.kernel, later.row.proof) == ("cold", None), "who proves nothing obeys too"
    assert "False" in later.printed
    assert proofs(proving)[0].runs == 1

    with proving.installation.ledger.writing() as session:
        assert trust(session, proof.environment, "ada") == 1
    proving.installation.kernel_trust.forget()
    assert proofs(proving)[0].trusted_by == "ada"
    assert again(proving, repository).row.proof == DIFFERS, "the first one is proved again"


def test_chance_is_not_held_against_the_kernel(proving: Bench, git_project: MakeRepository) -> None:
    repository = project(
        git_project, "import random, uuid\nprint(random.random(), uuid.uuid4().int)"
    )
    run = proving(repository).run
    assert (run.row.kernel, run.row.proof) == ("warm", NONDETERMINISTIC)
    (proof,) = proofs(proving)
    assert (proof.off_at, proof.outcome, proof.proved) == (None, NONDETERMINISTIC, 0)
    assert again(proving, repository).row.kernel == "warm"


def test_what_happens_the_first_time_only_is_not_held_against_the_kernel(
    proving: Bench, git_project: MakeRepository
) -> None:
    """A cache that an environment fills with its first run, as matplotlib's of fonts."""
    cell = (
        "import os, pathlib\n"
        "place = pathlib.Path(os.environ['MPLCONFIGDIR']).with_name('{}')\n"
        "print('building' if not place.exists() else 'found')\n"
        "place.mkdir(parents=True, exist_ok=True)"
    )
    name = proving.installation.home.parent.name
    run = proving(project(git_project, cell.format(name))).run
    assert "building" in run.printed
    assert run.row.proof == NONDETERMINISTIC
    assert proofs(proving)[0].off_at is None


def test_an_error_is_proved_and_has_to_be_the_same(
    proving: Bench, git_project: MakeRepository
) -> None:
    run = proving(project(git_project, "1 / 0")).run
    assert (run.verdict, run.row.proof) == ("error", EQUAL)


def test_an_error_of_warm_kernels_alone_turns_them_off(
    proving: Bench, git_project: MakeRepository
) -> None:
    run = proving(project(git_project, "import sys\nassert 'colorsys' not in sys.modules")).run
    assert (run.verdict, run.row.proof) == ("error", DIFFERS)
    assert proofs(proving)[0].off_at is not None


def test_metrics_and_files_count_as_what_cells_show(
    proving: Bench, git_project: MakeRepository
) -> None:
    cell = (
        "import sys, provenote\nwarm = 'colorsys' in sys.modules\n"
        "provenote.metric('rows', 4 + warm)\n"
        "provenote.output('a.bin').write_bytes(bytes([warm]))"
    )
    assert proving(project(git_project, cell)).run.row.proof == DIFFERS
    told = proofs(proving)[0].told
    assert told is not None
    assert {one["where"] for one in told["findings"]} == {"file a.bin", "metrics and checks"}


def test_the_first_report_is_proved_and_then_one_in_so_many(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    evaluate.proof_runs = 2
    repository = project(git_project, "print(1)")
    seen = [evaluate(repository).run, *(again(evaluate, repository) for _ in range(2))]
    assert [run.row.proof for run in seen] == [EQUAL, None, EQUAL]
    reused = evaluate.execute(evaluate.ask(repository, "daily"))
    assert (reused.row.reused, reused.row.kernel, reused.row.proof) == (True, None, None)
    assert (proofs(evaluate)[0].runs, proofs(evaluate)[0].proved) == (3, 2)


def test_nothing_is_proved_where_that_is_off_or_the_kernel_is_cold(
    evaluate: Bench, git_project: MakeRepository
) -> None:
    repository = project(git_project, "print(1)")
    run = evaluate(repository).run
    assert (run.row.kernel, run.row.proof) == ("warm", None)
    cold = again(replace(evaluate, hosts=None, proof_runs=1), repository)
    assert (cold.row.kernel, cold.row.proof) == ("cold", None)
    assert proofs(evaluate) == []


def test_what_ran_out_of_its_time_is_not_proved(
    proving: Bench, git_project: MakeRepository
) -> None:
    files = single(notebook("# A", "while True: pass"), PRELOAD, "timeout = 2")
    run = proving(git_project(files)).run
    assert (run.verdict, run.row.proof) == ("timed_out", None)
    assert proofs(proving) == []


def test_a_worker_that_has_to_end_lets_its_proof_go(
    proving: Bench, git_project: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ProofPlace.workplace

    def let_go(place: ProofPlace, name: str) -> object:
        proving.let_go.set()
        return made(place, name)

    monkeypatch.setattr(ProofPlace, "workplace", let_go)
    run = proving(project(git_project, "print(1)")).run
    assert (run.row.status, run.verdict, run.row.proof) == ("finished", "passed", None)
    (proof,) = proofs(proving)
    assert (proof.runs, proof.outcome) == (1, None)


def test_the_claim_of_a_published_run_is_over(
    proving: Bench, git_project: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reader has the report before anything is proved."""
    seen: list[str] = []
    made = ProofPlace.__init__

    def look(place: ProofPlace, installation: object, claim: Claim) -> None:
        with proving.installation.ledger.reading() as session:
            row = session.get_one(Run, claim.id)
            seen.append(f"{row.status} {row.owner} {row.html is not None}")
        made(place, proving.installation, claim)

    monkeypatch.setattr(ProofPlace, "__init__", look)
    proving(project(git_project, "print(1)"))
    assert seen == ["finished None True"]
