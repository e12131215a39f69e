"""Where provenote keeps its things, where nothing else is said."""

import os
from pathlib import Path


def default_home() -> Path:
    """Return the directory in the user's own data."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "provenote"
