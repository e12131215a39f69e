"""Which objects are still led to: by the ledger, by actions in use, by their records and pages."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from provenance.cache import ACTIONS
from provenance.files import TEMPORARY_PREFIX
from provenance.ledger.roots import Roots
from provenance.store import Store
from provenance.stores.shelf import Item

_DIGEST = re.compile(rb"\b[0-9a-f]{64}\b")
_SAID = ("code", "extra", "environment")
"""Parts of a record that name what explains a result, not what it was made of."""


@dataclass(frozen=True)
class Action:
    """An action as it lies on the shelf."""

    item: Item
    key: str
    record_id: str


@dataclass
class Reach:
    """What is led to, and what could not be read to go on from it: named records and pages."""

    objects: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)


def read_actions(store: Store) -> list[Action]:
    """Return every action; those that are being written are left out."""
    found = []
    for item in store.shelf.items(ACTIONS):
        parts = item.name.split("/")
        # actions/<2 digits>/<key>/<second>; before that form, without <second>.
        if len(parts) not in {3, 4} or parts[-1].startswith(TEMPORARY_PREFIX):
            continue
        try:
            record_id = store.shelf.read(item.name).decode(errors="replace").strip()
        except FileNotFoundError:
            continue
        found.append(Action(item, parts[2], record_id))
    return found


def reach(store: Store, roots: Roots, actions: Iterable[Action]) -> Reach:
    """Follow the records that the ledger and *actions* name, and return all that they name.

    Every digest in such a record or page counts, whatever field it stands in: what is kept for
    nothing costs space, what goes by mistake cannot be had again.
    """
    whole = set(roots.whole)
    found = Reach(set(roots.every))
    for record_id in whole:
        digests = _digests(store, record_id)
        if digests is None:
            found.lost.add(record_id)
        found.objects |= digests or set()
    for record_id in roots.told - whole:
        found.objects |= _digests(store, record_id, said_only=True) or set()
    for page in roots.pages:
        # Figures beside it, and the libraries that draw it.
        digests = _digests(store, page)
        if digests is None:
            found.lost.add(page)
        found.objects |= digests or set()
    for record_id in {action.record_id for action in actions} - whole:
        found.objects |= {record_id} | (_digests(store, record_id) or set())
    return found


def _digests(store: Store, record_id: str, *, said_only: bool = False) -> set[str] | None:
    """Return the digests in a record or page; None where it cannot be read: it is left as it is."""
    data = store.peek(record_id)
    if data is None:
        return None
    return {found.decode() for found in _DIGEST.findall(_said(data) if said_only else data)}


def _said(data: bytes) -> bytes:
    try:
        record = json.loads(data)
        return json.dumps([record.get(name) for name in _SAID]).encode()
    except (ValueError, AttributeError):
        return data  # no record that we understand: then all that it names is kept
