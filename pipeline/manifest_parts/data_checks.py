"""Whether what a manifest reads from datasets, and publishes to them, can be."""

from collections.abc import Iterator, Sequence

from pipeline.manifest_parts.data import DataInput, blank, placeholders
from pipeline.manifest_parts.models import ReportSpec, StageSpec
from pipeline.manifest_parts.problems import Path, Problems
from pipeline.stages.kinds.base import Look
from provenance.datasets.errors import InvalidNameError
from provenance.datasets.names import check_dataset, check_partition
from provenance.nearest import did_you_mean, listed, shown


def check_data_input(place: Path, found: DataInput, problems: Problems) -> None:
    """Note in *problems* names that no dataset, model, snapshot or partition can have."""
    _check_name(place, found.name, problems)
    if found.snapshot is not None:
        _check_name(place, found.snapshot, problems)
    pattern = blank(found.partition)
    if found.batch is not None and {"*", "?"}.intersection(pattern):
        problems.add(place, f"{found.partition} means several partitions, batch only one.")
    _check_partition(place, pattern.replace("*", "x").replace("?", "x"), problems)


def check_partitions(
    path: Path, spec: StageSpec | ReportSpec, known: Sequence[str], problems: Problems
) -> None:
    """Note placeholders of partitions that are none of the parameters *known*."""
    for place, partition in _partitions(spec):
        for name in placeholders(partition):
            if name not in known:
                hint = did_you_mean(name, known) or f"The parameters: {listed(known)}."
                message = f"{{{name}}} in {shown(partition)} is no parameter."
                problems.add((*path, *place), message, hint)


def _partitions(spec: StageSpec | ReportSpec) -> Iterator[tuple[Path, str]]:
    for name, found in spec.inputs.items():
        if isinstance(found, DataInput):
            yield ("inputs", name), found.partition
    if isinstance(spec, StageSpec):
        for published in spec.publish:
            yield ("publish",), published.partition


def check_publish(look: Look) -> None:
    """Note what a stage publishes that it does not leave, or that can have no such name."""
    seen = set()
    for found in look.spec.publish:
        place = ("stages", look.name, "publish")
        _check_name(place, found.dataset, look.problems)
        _check_partition(place, blank(found.partition), look.problems)
        if (found.dataset, found.partition) in seen:
            look.wrong("publish", f"{found.dataset}/{found.partition} stands here twice.")
        seen.add((found.dataset, found.partition))
        outputs = look.spec.outputs or {}
        if found.output is not None and outputs and found.output not in outputs:
            hint = did_you_mean(found.output, outputs) or f"Its outputs: {listed(outputs)}."
            look.wrong("publish", f"the stage has no output {shown(found.output)}.", hint)
        elif found.output is None and len(outputs) > 1:
            hint = f"Its outputs: {listed(outputs)}."
            look.wrong("publish", "output is missing: the stage has several.", hint)


def _check_name(place: Path, name: str, problems: Problems) -> None:
    try:
        check_dataset(name)
    except InvalidNameError as error:
        problems.add(place, error.message, error.hint)


def _check_partition(place: Path, name: str, problems: Problems) -> None:
    try:
        if "{" in name or "}" in name:
            hint = "A parameter stands between two braces: {date}."
            raise InvalidNameError(f"{shown(name)} has a brace without its other.", hint)
        check_partition(name)
    except InvalidNameError as error:
        problems.add(place, error.message, error.hint)
