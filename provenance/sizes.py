"""Sizes as people write them: "2 GB", "512 MiB", "300 kB", or a number of bytes."""

import re

_UNITS = {
    "": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)},
    **{letter: 1000**power for power, letter in enumerate("kmgt", start=1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", start=1)},
    "b": 1,
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", re.ASCII)
_STEPS = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def read_size(found: object) -> int:
    """Return the bytes that *found* means; raise ValueError, which says what was expected."""
    if isinstance(found, int) and not isinstance(found, bool) and found > 0:
        return found
    match = _SIZE.fullmatch(found) if isinstance(found, str) else None
    unit = _UNITS.get(match[2].lower()) if match else None
    size = int(float(match[1]) * unit) if match and unit else 0
    if size <= 0:
        raise ValueError(f'found {found!r}, expected a size such as "2 GB", "512 MiB" or 1000000')
    return size


def told_size(size: int) -> str:
    """Return *size* bytes as people say it, with about three digits."""
    for unit, step in _STEPS:
        if size >= step:
            return (
                f"{size / step:.3g} {unit}" if size < 1000 * step else f"{size / step:.0f} {unit}"
            )
    return f"{size} bytes"
