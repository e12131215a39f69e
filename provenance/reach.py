"""Which objects are still led to: by the ledger, by actions in use, by their records and pages."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from provenance.cache import ACTIONS
from provenance.files import TEMPORARY_PREFIX
from provenance.ledger.roots import Roots
from provenance.pages import page_of
from provenance.record import parse_record
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
    named = {action.record_id for action in actions}
    found = Reach(set(roots.every) | named)
    pages = set(roots.pages)
    for record_id in roots.whole | named:
        data = store.peek(record_id)
        if data is None and record_id in roots.whole:
            found.lost.add(record_id)
        found.objects |= _digests(data)
        # Who needs the result again shows this page, though no row may name it now.
        pages |= _pages(data)
    for record_id in roots.told - roots.whole:
        data = store.peek(record_id)
        found.objects |= _digests(_said(data) if data is not None else None)
    for page in pages:
        data = store.peek(page)
        if data is None and page in roots.pages:
            found.lost.add(page)
        # Figures beside it, and the libraries that draw it.
        found.objects |= _digests(data)
    return found


def _digests(data: bytes | None) -> set[str]:
    """Return the digests in a record or page; none where it cannot be read: it is left as it is."""
    return {found.decode() for found in _DIGEST.findall(data or b"")}


def _pages(data: bytes | None) -> set[str]:
    """Return the digest of the page that a record tells of, if it does."""
    try:
        page = page_of(parse_record(data or b""))
    except ValueError:
        return set()  # gone, or no record that we understand
    return {page} if page is not None else set()


def _said(data: bytes) -> bytes:
    try:
        record = json.loads(data)
        return json.dumps([record.get(name) for name in _SAID]).encode()
    except (ValueError, AttributeError):
        return data  # no record that we understand: then all that it names is kept
