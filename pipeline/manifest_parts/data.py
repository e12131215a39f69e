"""What a manifest says of datasets and models: what is read from them, what is published."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, StrictStr

from pipeline.manifest_parts.spec import Spec, kind_of, wrong
from provenance.datasets.names import DATA, MAIN, MODEL
from provenance.errors import InvalidInputError
from provenance.nearest import did_you_mean, listed, shown

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_OF_DATA = ("dataset", "partition", "batch", "snapshot")
_OF_MODELS = ("model", "version")
_EXPECTED = 'expected a stage, { dataset = "…", partition = "…" } or { model = "…" }'


class PartitionError(InvalidInputError):
    """Raised when the values of a run make no name of a partition."""

    code = "partition"


class DataInput(Spec):
    """An input that is read from a dataset, or is a model.

    ``partition`` is one partition, or a pattern such as ``*`` that means all that fit; ``{date}``
    in it stands for the run's parameter. ``batch`` and ``snapshot`` choose another batch than
    the current one, ``version`` another version of a model.
    """

    dataset: str | None = None
    partition: str = MAIN
    batch: str | None = None
    snapshot: str | None = None
    model: str | None = None
    version: int | None = None

    @property
    def kind(self) -> str:
        """``data`` or ``model``."""
        return MODEL if self.model is not None else DATA

    @property
    def name(self) -> str:
        """The name of the dataset or model."""
        return str(self.model if self.model is not None else self.dataset)


class PublishSpec(Spec):
    """One output of a stage that becomes a batch; ``output`` may be left out if it has one."""

    dataset: StrictStr
    partition: StrictStr
    output: StrictStr | None = None


def _input(found: object) -> object:
    """Return a stage's name, or what a table says of a dataset or model."""
    if isinstance(found, str | DataInput):
        return found
    if not isinstance(found, dict) or ("dataset" in found) == ("model" in found):
        raise wrong(f"found {shown(found)} ({kind_of(found)}), {_EXPECTED}")
    known = _OF_MODELS if "model" in found else _OF_DATA
    for key, value in found.items():
        if key not in known:
            hint = did_you_mean(str(key), known)
            raise wrong(f"unknown key {shown(key)}; known are: {listed(known)}", hint)
        if key == "version":
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise wrong(f"found version = {shown(value)}, expected a number from 1")
        elif not isinstance(value, str):
            raise wrong(f"found {key} = {shown(value)} ({kind_of(value)}), expected a text")
    if "dataset" in found and "partition" not in found:
        hint = 'All of its partitions are partition = "*".'
        raise wrong("partition is missing", hint)
    if "batch" in found and "snapshot" in found:
        raise wrong("found batch and snapshot, expected one of them at most")
    return DataInput(**found)


def _publications(found: object) -> object:
    return [found] if isinstance(found, dict) else found


Input = Annotated[str | DataInput, BeforeValidator(_input)]
Publications = Annotated[tuple[PublishSpec, ...], BeforeValidator(_publications)]


def placeholders(partition: str) -> tuple[str, ...]:
    """Return the names of the parameters that *partition* is made with."""
    return tuple(_PLACEHOLDER.findall(partition))


def all_placeholders(
    inputs: Iterable[str | DataInput], published: Iterable[PublishSpec] = ()
) -> tuple[str, ...]:
    """Return the parameters that the partitions of *inputs* and *published* are made with."""
    partitions = [found.partition for found in inputs if isinstance(found, DataInput)]
    partitions += [found.partition for found in published]
    return tuple(dict.fromkeys(name for text in partitions for name in placeholders(text)))


def filled(partition: str, params: Mapping[str, Any]) -> str:
    """Return *partition* with the values of *params* for its placeholders; dates in ISO form.

    Raises PartitionError for a value that is none, is no simple one, or would be a pattern.
    """
    return _PLACEHOLDER.sub(lambda match: _text(match[1], params[match[1]], partition), partition)


def _text(name: str, value: Any, partition: str) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value and not {"*", "?"}.intersection(value):
        return value
    raise PartitionError(
        f"Partition {partition!r} cannot be made with {name} = {shown(value)}.",
        "Give a date, a whole number or a text that is not empty and has neither * nor ?.",
    )


def blank(partition: str) -> str:
    """Return *partition* as it could be once it is filled; braces that are left are no names."""
    return _PLACEHOLDER.sub("x", partition)
