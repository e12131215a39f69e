"""The local checkout, which answers for code that runs without a server."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from provenote._context import ContextError, Paths, param_value, unknown

MANIFEST = "provenote.toml"


def checkout() -> Path:
    """Return the nearest folder, from the current one upwards, that holds the manifest."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / MANIFEST).is_file():
            return folder
    raise ContextError(
        f"No {MANIFEST} in {here} or any folder above it. "
        "Start Jupyter or Python inside the project's checkout."
    )


def find_input(name: str) -> Paths:
    """Return the newest file that a local run left for the input *name*."""
    root = checkout()
    found = sorted(_candidates(root, name), key=lambda path: path.stat().st_mtime_ns)
    if not found:
        raise ContextError(_absent(root, name))
    newest = found[-1]
    if newest.is_dir():
        return {path.stem: path for path in sorted(newest.iterdir()) if _is_data(path)}
    return newest


def _candidates(root: Path, name: str) -> Iterator[Path]:
    inputs = root / ".provenote" / "inputs"
    for report in inputs.iterdir() if inputs.is_dir() else ():
        for path in report.iterdir() if report.is_dir() else ():
            if path.name.split(".")[0] == name and (path.is_dir() or _is_data(path)):
                yield path


def _is_data(path: Path) -> bool:
    return path.is_file() and not path.name.endswith(".prov.json")


def _absent(root: Path, name: str) -> str:
    reports = _manifest(root).get("reports", {})
    users = [report for report, spec in reports.items() if name in spec.get("inputs", {})]
    if not users:
        known = {key for spec in reports.values() for key in spec.get("inputs", {})}
        owner = f"a report of {root / MANIFEST}"
        return unknown("input", name, known, owner) + " Run `provenote run <report>` once."
    return (
        f"There is no local file for the input {name!r} in {root / '.provenote' / 'inputs'}. "
        f"Run `provenote run {users[0]}` once: it leaves the report's inputs there."
    )


def default_params() -> dict[str, object]:
    """Return the defaults of the manifest's ``[params]``."""
    specs = _manifest(checkout()).get("params", {})
    return {
        name: param_value(spec.get("type", ""), spec["default"])
        for name, spec in specs.items()
        if "default" in spec
    }


def _manifest(root: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((root / MANIFEST).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ContextError(f"{root / MANIFEST} is not valid TOML: {error}.") from error
