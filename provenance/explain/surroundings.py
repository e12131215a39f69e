"""How parameters and environment differ, and what of an environment no job can see."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provenance.explain.model import Cause, Kind
from provenance.explain.pair import Pair
from provenance.identity import differences
from provenance.record import Record

_PLATFORM = ("implementation", "python", "abi", "platform")
MOST_PACKAGES = 6


def parameter_causes(pair: Pair) -> Iterator[Cause]:
    """Tell which parameters that the job takes have other values."""
    old, new = pair.parts("params")
    for name in sorted(old.keys() | new.keys()):
        for told in differences.of_values(_only(old, name), _only(new, name)):
            change = told.removeprefix(name).strip()
            sentence = f"The parameter {name} changed: {change}."
            if name not in old or name not in new:
                word, value = change.split(" ", 1) if " " in change else (change, "")
                sentence = f"The parameter {name} was {word} {value}".strip() + "."
            yield Cause(Kind.PARAMETERS, f"param {name}", sentence, None, (pair.name,))


def package_causes(pair: Pair) -> Iterator[Cause]:
    """Tell which packages that the job can reach have another version, or other files."""
    old, new = (part.get("distributions") or {} for part in pair.parts("environment"))
    for name in sorted(old.keys() | new.keys()):
        told = differences.of_environment(
            {"distributions": _only(old, name)}, {"distributions": _only(new, name)}
        )
        for change in told:
            sentence = f"The package {change}."
            if "→" in change:
                sentence = f"The package {name} changed: {change.removeprefix(name).strip()}."
            yield Cause(Kind.PACKAGES, f"package {name}", sentence, None, (pair.name,))


def platform_causes(pair: Pair) -> Iterator[Cause]:
    """Tell which facts of interpreter, machine and tools differ."""
    old, new = (_flat(part) for part in pair.parts("environment"))
    for name in sorted((old.keys() | new.keys()) - {"distributions"}):
        kind = Kind.PLATFORM if name in _PLATFORM else Kind.ENVIRONMENT
        for change in differences.of_values(_only(old, name), _only(new, name)):
            sentence = f"The environment changed: {change}."
            yield Cause(kind, f"{kind} {name}", sentence, None, (pair.name,))


def seed_causes(pair: Pair) -> Iterator[Cause]:
    """Tell which seeds that were set beforehand differ."""
    old, new = (record.environment.get("seeds") or {} for record in (pair.a, pair.b))
    for name in sorted(old.keys() | new.keys()):
        for change in differences.of_values(_only(old, name), _only(new, name)):
            sentence = f"The seed {change}."
            yield Cause(Kind.RANDOMNESS, f"seed {name}", sentence, None, (pair.name,))


def out_of_reach(pairs: Iterable[Pair]) -> list[str]:
    """Tell which packages differ that no job can reach, and which machines: no cause, but odd."""
    old: dict[str, str] = {}
    new: dict[str, str] = {}
    keyed: set[str] = set()
    hosts: tuple[set[str], set[str]] = (set(), set())
    for pair in pairs:
        old |= _packages(pair.a)
        new |= _packages(pair.b)
        for part in pair.parts("environment"):
            keyed |= set(part.get("distributions") or {})
        for record, names in zip((pair.a, pair.b), hosts, strict=True):
            names.add(str(record.run.get("host") or ""))
    changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    told = [f"{name} {old.get(name, 'none')} → {new.get(name, 'none')}" for name in changed]
    notes = []
    if outside := [text for name, text in zip(changed, told, strict=True) if name not in keyed]:
        more = f" and {len(outside) - MOST_PACKAGES} more" if len(outside) > MOST_PACKAGES else ""
        shown = ", ".join(outside[:MOST_PACKAGES])
        notes.append(f"Recorded, but out of reach of every job: {shown}{more}.")
    if hosts[0] and hosts[1] and not hosts[0] & hosts[1]:
        machines = [", ".join(sorted(filter(None, found))) for found in hosts]
        notes.append(f"They were executed on different machines: {machines[0]} and {machines[1]}.")
    return notes


def _flat(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts by name; those of a tool by both names: ``tool version``."""
    found: dict[str, Any] = {}
    for name, value in part.items():
        if isinstance(value, dict) and name != "distributions":
            found |= {f"{name} {inner}": item for inner, item in value.items()}
        else:
            found[name] = value
    return found


def _packages(record: Record) -> dict[str, str]:
    found = record.environment.get("packages") or {}
    return {str(name): str(version) for name, version in found.items()}


def _only(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {name: values[name]} if name in values else {}
