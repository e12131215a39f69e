"""Whether a stage of a manifest fits the code or the query that it names."""

from pipeline.manifest_parts.data_checks import check_partitions, check_publish
from pipeline.manifest_parts.models import OF_ONE_KIND
from pipeline.stages.kinds import KINDS, kinds_named
from pipeline.stages.kinds.base import Look
from provenance.nearest import did_you_mean, listed, shown


def check_stage(look: Look) -> None:
    """Note what is wrong with the stage that *look* is at, its inputs' stages excepted."""
    kinds = kinds_named(look.spec)
    if len(kinds) != 1:
        found = listed(kind.name for kind in kinds) if kinds else "none"
        look.wrong("", f"found {found} of {', '.join(KINDS)}, expected one of them.")
        return
    (kind,) = kinds
    _check_params(look)
    check_partitions(("stages", look.name), look.spec, look.known["params"], look.problems)
    for key, owners in OF_ONE_KIND.items():
        if kind.name not in owners and getattr(look.spec, key) is not None:
            look.wrong(key, f"only {' and '.join(owners)} stages have {key}.")
    check_publish(look)
    kind.check(look)


def _check_params(look: Look) -> None:
    for item in look.spec.params or ():
        if item not in look.known["params"]:
            hint = did_you_mean(item, look.known["params"]) or f"Declare it: [params.{item}]."
            look.wrong("params", f"no parameter {shown(item)} is declared.", hint)
        if item in look.spec.inputs:
            look.wrong("params", f"{item} is an input of this stage too; rename one of them.")
