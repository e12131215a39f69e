"""Records of runs that nobody executed, for pages to tell of."""

import json
from dataclasses import dataclass
from typing import Any

from provenance.identity.key import Preimage
from provenance.ledger.tables import Evaluation, Run
from provenance.ledger.uses import remember_uses
from provenance.record import Output, Record, keep_record
from tests.app.archive.maker import Maker


@dataclass(frozen=True)
class Facts:
    """What a run is made from, in so far as tests want it to differ."""

    source: str = "RAIN = 1\n"
    cell: str = "print(1)"
    path: str = "stages/helper.py"
    name: str = "features"
    params: tuple[tuple[str, object], ...] = ()
    given: str = "1"
    package: str = "pandas"


def recorded_run(
    maker: Maker, evaluation: Evaluation, facts: Facts, report: str = "daily", **values: Any
) -> Run:
    """Write a run of one stage and a report, with their records in the store."""
    store = maker.installation.store
    exact = maker.keep(facts.source.encode())
    given = Output("output", maker.keep(facts.given.encode()), 1, "text/plain", "output.txt")
    stage = _record(
        facts,
        facts.name,
        {"files": {facts.path: exact}},
        outputs=(given,),
        code={"files": [{"path": facts.path, "exact": exact, "semantic": exact}]},
    )
    cell = {"cell_type": "code", "source": facts.cell, "metadata": {}, "outputs": []}
    notebook = maker.keep(json.dumps({"cells": [cell]}).encode())
    template = _record(
        facts,
        report,
        {"cells": [facts.cell], "files": {}},
        kind="report",
        outputs=(Output("notebook", notebook, 1, "application/x-ipynb+json", "n.ipynb"),),
        code={"cells": [facts.cell], "files": [], "template": facts.path},
        inputs=({"name": "x", "sha256": given.sha256, "producer": facts.name},),
    )
    ids = [keep_record(store, record).sha256 for record in (stage, template)]
    run = maker.run(evaluation, report, record=ids[1], **values)
    for place, (record, record_id) in enumerate(zip((stage, template), ids, strict=True)):
        job = facts.name if place == 0 else "report"
        maker.job(run, place, stage=job, key=record.key, record=record_id)
        with maker.installation.ledger.writing() as session:
            remember_uses(session, record_id, record)
    return run


def _record(facts: Facts, name: str, keyed: dict[str, Any], **values: Any) -> Record:
    inputs = {str(found["name"]): str(found["sha256"]) for found in values.get("inputs", ())}
    packages = {"distributions": {facts.package: "1.0 record:00"}}
    kind = values.setdefault("kind", "python")
    preimage = Preimage(kind, name, keyed, dict(facts.params), inputs, (), packages)
    rest: dict[str, Any] = {"run": {"id": "run_1", "host": "vm"}, "params": {}, "inputs": ()}
    rest |= {"environment": {"python": "3.11.7", "packages": {facts.package: "1.0"}}}
    return Record(name=name, key=preimage.key, preimage=preimage.to_json(), **(rest | values))
