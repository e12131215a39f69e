"""One job in two runs, by its two records."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from provenance.errors import InvalidInputError
from provenance.identity.key import Preimage
from provenance.record import Record


@dataclass(frozen=True)
class Pair:
    """The records of one job in both runs."""

    name: str
    a: Record
    b: Record

    @property
    def same_key(self) -> bool:
        """Whether both were asked to be the same."""
        return self.a.key == self.b.key

    @cached_property
    def preimages(self) -> tuple[Preimage, Preimage] | None:
        """What both keys are hashes of; None where another version of provenote wrote them."""
        try:
            return Preimage.from_json(self.a.preimage), Preimage.from_json(self.b.preimage)
        except InvalidInputError:
            return None

    def parts(self, name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return one part of both preimages: code, params, inputs or environment."""
        if self.preimages is None:
            return {}, {}
        old, new = self.preimages
        return getattr(old, name), getattr(new, name)

    @cached_property
    def outputs(self) -> tuple[dict[str, str], dict[str, str]]:
        """The digests of what both gave, by name."""
        return _digests(self.a), _digests(self.b)


def _digests(record: Record) -> dict[str, str]:
    return {output.name: output.sha256 for output in record.outputs}
