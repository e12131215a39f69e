"""Describe the interpreter that runs this file, as JSON on standard output.

It is started by path in a project's own interpreter (``python -I probe.py``), where nothing of
provenote is installed; so it uses the standard library only and any Python from 3.8 on.
"""

from __future__ import annotations  # generics as built in, for Python 3.8

import csv
import hashlib
import json
import os
import platform
import re
import site
import sys
import sysconfig
from collections.abc import Iterator
from email.errors import MessageError
from importlib.metadata import Distribution, distributions
from pathlib import Path

_WRITTEN_BY_INSTALLERS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
_MODULE_SUFFIXES = (".py", ".so", ".pyd", ".pyc")
_TELLING = (".dist-info", ".egg-info", ".egg-link", ".pth")


def content_rows(record: str) -> list[list[str]]:
    """Return the rows of a RECORD that tell what is installed, not where or by whom.

    Scripts name the virtual environment in their first line, byte code has no hash, and
    installers leave notes of their own: with them, two installations of one wheel differ.
    """
    rows = []
    for row in csv.reader(record.splitlines()):
        path = row[0].replace("\\", "/") if row else ""
        parts = path.split("/")
        note = len(parts) > 1 and parts[-2].endswith(".dist-info")
        if not path or path.startswith(("../", "/")) or path.endswith(".pyc"):
            continue
        if note and (parts[-1] in _WRITTEN_BY_INSTALLERS or parts[-1].startswith("uv_")):
            continue
        rows.append(row)
    return sorted(rows)


def top_level_modules(distribution: Distribution, rows: list[list[str]]) -> list[str]:
    """Return the names that can be imported, by the files and by ``top_level.txt``."""
    names: set[str] = set((distribution.read_text("top_level.txt") or "").split())
    for row in rows:
        first, _, rest = row[0].replace("\\", "/").partition("/")
        if (rest or first).endswith(_MODULE_SUFFIXES):
            names.add(first if rest else first.split(".")[0])
    return sorted(name for name in names if name.isidentifier())


def required_names(distribution: Distribution) -> list[str]:
    """Return the normalised names of requirements, those of extras left out."""
    names: set[str] = set()
    for requirement in distribution.requires or []:
        specification, _, marker = requirement.partition(";")
        found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", specification)
        if found and not re.search(r"\bextra\b", marker):
            names.add(normalised(found.group(1)))
    return sorted(names)


def normalised(name: str) -> str:
    """Return *name* as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def metadata_text(distribution: Distribution) -> str:
    """Return the metadata as text, also where a header spans lines that no message may have."""
    try:
        return str(distribution.metadata)
    except MessageError:
        return distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""


def installed() -> Iterator[dict[str, object]]:
    """Yield a description of each distribution; the first on the path wins, as in imports."""
    seen: set[str] = set()
    for distribution in distributions():
        name = normalised(distribution.metadata["Name"] or "")
        if not name or name in seen:
            continue
        seen.add(name)
        record = distribution.read_text("RECORD")
        rows = content_rows(record or "")
        content = json.dumps(rows) if record else metadata_text(distribution)
        yield {
            "name": name,
            "version": distribution.version or "",
            "record_sha256": hashlib.sha256(content.encode("utf-8", "replace")).hexdigest(),
            "modules": top_level_modules(distribution, rows),
            "requires": required_names(distribution),
        }


def places() -> list[str]:
    """Return this interpreter's real path, and all that it imports from or would if it were there.

    The folders of packages differ from one system to the next: only it knows its own.
    """
    packages = site.getsitepackages() if hasattr(site, "getsitepackages") else []
    chosen = str(Path(sys.prefix, "pyvenv.cfg"))
    return [os.path.realpath(sys.executable), *dict.fromkeys([chosen, *sys.path, *packages])]


def stamp(paths: list[str]) -> dict[str, int]:
    """Return names and times that change whenever something is installed in one of *paths*.

    What is not there, or may not be looked at, has a time as well: -1.
    """
    found = {}
    for path in map(Path, paths):
        found[str(path)] = changed(path)
        try:
            telling = [place for place in path.iterdir() if place.suffix in _TELLING]
        except OSError:  # a file, a folder of others, or nothing yet
            continue
        found.update((str(place), changed(place)) for place in telling)
    return found


def changed(path: Path) -> int:
    """Return when the file or folder was changed, in nanoseconds; -1 where that is not to see."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


def facts() -> dict[str, object]:
    """Return the whole description."""
    seen = places()
    before = stamp(seen)  # taken first: what is installed meanwhile makes it an old one
    return {
        "places": seen,
        "stamp": before,
        "implementation": platform.python_implementation(),
        "python": platform.python_version(),
        "abi": sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag or "",
        "platform": f"{platform.machine()}-{platform.system()}".lower(),
        "distributions": sorted(installed(), key=lambda entry: str(entry["name"])),
    }


if __name__ == "__main__":
    # Packages may print while the interpreter starts; a line of its own stays readable.
    sys.stdout.write("\n" + json.dumps(facts()) + "\n")
