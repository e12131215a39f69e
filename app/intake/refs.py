"""Names and hashes of git objects, checked before anything is done with them."""

import re

from pipeline.repository.git import is_sha

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_MAX_LENGTH = 255
HEADS = "refs/heads/"


def is_zero(sha: str) -> bool:
    """Tell whether *sha* is the hash of nothing, as in the deletion of a branch."""
    return is_sha(sha) and not sha.strip("0")


def is_ref(name: str) -> bool:
    """Tell whether *name* may name a branch or tag: the rules of ``git check-ref-format``."""
    if not name or len(name) > _MAX_LENGTH or name == "@" or _FORBIDDEN.search(name):
        return False
    if not _is_text(name) or name.endswith("."):
        return False
    parts = name.split("/")
    return not any(
        not part or part.startswith((".", "-")) or part.endswith(".lock") for part in parts
    )


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name.isprintable()
