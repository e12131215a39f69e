"""Sentences for how two preimages differ, part by part.

Values are compared by their canonical bytes, so 1 → 1.0 is a difference here as in the key.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from difflib import SequenceMatcher
from itertools import zip_longest

from provenance.identity.canonical import canonical

MAX_NAMED = 12
_MAX_SHOWN = 80
_DIGEST_LENGTH = 32
"""From this length on, a text of hexadecimal digits is a hash: nobody wants to read two."""

_TYPE_WORDS = {"str": "text", "bool": "bool", "NoneType": "nothing"}


def listed(changes: Sequence[str]) -> str:
    """Join *changes*, naming the first ones and counting the rest."""
    named = ", ".join(changes[:MAX_NAMED])
    rest = len(changes) - MAX_NAMED
    return f"{named} and {rest} more" if rest > 0 else named


def of_code(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Tell how two ``code`` parts differ: files, template cells, query text, entry, kernel."""
    changes: list[str] = []
    for name in _ordered(old, new, ("files", "cells", "text", "entry", "source", "kernel")):
        before, after = old.get(name), new.get(name)
        if canonical(before) == canonical(after):
            continue
        if name == "files":
            changes += _files(_mapping(before), _mapping(after))
        elif name == "cells":
            changes += _cells(_sequence(before), _sequence(after))
        elif name == "text" and before is not None and after is not None:
            changes.append("query text changed")
        else:
            changes.append(_value(name, old, new))
    return changes


def of_values(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Tell which named values were added, removed or changed, and from what to what."""
    return [
        _value(name, old, new)
        for name in sorted(old.keys() | new.keys())
        if name not in old or name not in new or canonical(old[name]) != canonical(new[name])
    ]


def of_inputs(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Tell which inputs were added, removed or have other contents."""
    return list(_changed(old, new))


def of_environment(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Tell which interpreter facts and which distributions differ."""
    changes: list[str] = []
    for name in _ordered(old, new, ("implementation", "python", "abi", "platform")):
        if name != "distributions":
            changes += of_values(_only(old, name), _only(new, name))
    before, after = _mapping(old.get("distributions")), _mapping(new.get("distributions"))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            changes.append(_distribution(name, before.get(name), after.get(name)))
    return changes


def _distribution(name: str, old: object, new: object) -> str:
    before, after = (str(text).split(" ")[0] if text is not None else "" for text in (old, new))
    if old is None:
        return f"{name} {after} added"
    if new is None:
        return f"{name} {before} removed"
    if before == after:
        return f"{name} {after} has other files than before"
    return f"{name} {before} → {after}"


def _files(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    return list(_changed(old, new))


def _changed(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            yield f"{name} added"
        elif name not in new:
            yield f"{name} removed"
        elif old[name] != new[name]:
            yield f"{name} changed"


def _cells(old: Sequence[object], new: Sequence[object]) -> Iterator[str]:
    matcher = SequenceMatcher(None, [str(cell) for cell in old], [str(cell) for cell in new], False)
    for _tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if _tag == "equal":
            continue
        before, after = range(old_start, old_end), range(new_start, new_end)
        for was, position in zip_longest(before, after):
            if was is None:
                yield f"template cell {position + 1} added"
            elif position is None:
                yield f"template cell {was + 1} removed"
            else:
                yield f"template cell {position + 1} changed"


def _value(name: str, old: Mapping[str, object], new: Mapping[str, object]) -> str:
    if name not in old or name not in new:
        holder, word = (old, "removed") if name in old else (new, "added")
        shown = _shown(holder[name])
        return f"{name} {word}" if _is_digest(holder[name]) else f"{name} {word} ({shown})"
    if _is_digest(old[name]) or _is_digest(new[name]):
        return f"{name} changed"
    before, after = _shown(old[name]), _shown(new[name])
    if before == after:
        before, after = _typed(old[name]), _typed(new[name])
    return f"{name} {before} → {after}" if before != after else f"{name} changed"


def _shown(value: object) -> str:
    if isinstance(value, str | date | datetime):
        text = str(value) if isinstance(value, str) else value.isoformat()
    else:
        text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _typed(value: object) -> str:
    kind = type(value).__name__
    return f"{_shown(value)} ({_TYPE_WORDS.get(kind, kind)})"


def _is_digest(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) >= _DIGEST_LENGTH
        and all(character in "0123456789abcdef" for character in value)
    )


def _ordered(
    old: Mapping[str, object], new: Mapping[str, object], first: Sequence[str]
) -> list[str]:
    names = old.keys() | new.keys()
    return [*(name for name in first if name in names), *sorted(names.difference(first))]


def _only(values: Mapping[str, object], name: str) -> dict[str, object]:
    return {name: values[name]} if name in values else {}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
