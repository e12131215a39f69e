"""What stands in the form that runs a report, and what is wrong with it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from werkzeug.datastructures import MultiDict

from app.intake.offer import Offer
from app.intake.request import RunRequest
from app.intake.sent import Sent, read_form
from pipeline.asked import USUAL, DataWanted
from pipeline.parameters import ParameterError, Schema
from pipeline.repository.git import InvalidRevisionError
from pipeline.repository.mirror import UnknownRevisionError
from provenance.datasets.errors import InstantError
from provenance.datasets.instants import read_instant
from provenance.errors import ProvenoteError


@dataclass(frozen=True)
class Entered:
    """What stands in a form: prefilled, or sent and to be shown again."""

    commit: str
    sent: Sent
    force: bool = False
    as_of: str = ""

    def request(self, offer: Offer, data: DataWanted = USUAL) -> RunRequest:
        """Return what is asked for, on *data*."""
        return RunRequest(
            offer.project.name,
            offer.report,
            self.sent.values,
            revision=self.commit or None,
            force=self.force,
            data=data,
            several=self.sent.several,
        )

    def data(self) -> DataWanted:
        """Return which data is to be read; raise InstantError for data of no moment."""
        return DataWanted(as_of=read_instant(self.as_of, "Data as of") if self.as_of else None)


def read_entered(schema: Schema, form: MultiDict[str, str]) -> Entered:
    """Return what *form*, sent or the query of an address, says."""
    commit, as_of = (form.get(name, "").strip() for name in ("commit", "as_of"))
    return Entered(commit, read_form(schema, form), "force" in form, as_of)


@dataclass(frozen=True)
class Mistakes:
    """What is wrong with a form, by where it is told."""

    fields: Mapping[str, list[str]] = field(default_factory=dict)
    """Problems by the names of parameters."""
    commit: str = ""
    as_of: str = ""
    error: ProvenoteError | None = None
    """What belongs to no field."""

    def __bool__(self) -> bool:
        return bool(self.fields or self.commit or self.as_of or self.error)


def mistakes_of(error: ProvenoteError, sent: Sent) -> Mistakes:
    """Return where *error* is told, which *sent* led to."""
    if isinstance(error, ParameterError):
        return Mistakes(fields=_by_field(error) | dict(sent.problems))
    if isinstance(error, UnknownRevisionError | InvalidRevisionError):
        return Mistakes(commit=str(error))
    if isinstance(error, InstantError):
        return Mistakes(as_of=str(error))
    return Mistakes(error=error)


def both(one: Mistakes, other: Mistakes) -> Mistakes:
    """Return the mistakes of both."""
    return replace(
        other,
        fields={**one.fields, **other.fields},
        commit=one.commit or other.commit,
        as_of=one.as_of or other.as_of,
        error=one.error or other.error,
    )


def _by_field(error: ParameterError) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for problem in error.problems:
        # Beside its field, a message needs no name.
        found[problem.name].append(problem.message.removeprefix(f"{problem.name}: "))
    return dict(found)
