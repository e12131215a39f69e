"""Notebooker: it keeps all results in MongoDB, and starts without one nowhere."""

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.place import Place

_REASON = (
    "its only serializer, PyMongoResultSerializer, needs a MongoDB server, which {found}; "
    "it has none for a folder or an embedded database"
)


def look(place: "Place") -> None:
    """Say why it is not among what is measured."""
    found = (
        "is installed here but not started by the bench"
        if shutil.which("mongod")
        else "is not here"
    )
    place.leave_out("notebooker", _REASON.format(found=found))
