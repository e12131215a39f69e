from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.workshop import Workshop, make_workshop


@pytest.fixture
def workshop(tmp_path: Path, environments: Path, default_environment: Path) -> Iterator[Workshop]:
    """An installation with a project, to which workers can be added and taken away."""
    made = make_workshop(tmp_path, environments)
    try:
        yield made
    finally:
        made.close()
