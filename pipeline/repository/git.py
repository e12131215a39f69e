"""The git command, made safe to point at repositories and names that strangers chose."""

import os
import pwd
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from provenance.errors import InvalidInputError, ProvenoteError

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REFUSED_IN_NAMES = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|^[-/.]|[/.]$|\.lock(/|$)|^$"
)
_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.symlinks": "true",
    "credential.helper": "",
    "fetch.fsckObjects": "true",
    "gc.auto": "0",
    "http.followRedirects": "false",
    "protocol.ext.allow": "never",
    "safe.directory": "*",
    "submodule.recurse": "false",
}


class GitError(ProvenoteError):
    """Raised when a git command fails or takes too long; holds what git said."""

    code = "git"


class InvalidRevisionError(InvalidInputError):
    """Raised when a name can be no branch, tag or commit."""

    code = "invalid_revision"


def is_sha(text: str) -> bool:
    """Tell whether *text* is a whole object name (SHA-1 or SHA-256)."""
    return bool(_SHA.fullmatch(text))


def checked_revision(name: str) -> str:
    """Return *name* if git could take it for a branch, tag or commit; refuse it otherwise.

    The rules are those of ``git check-ref-format``; nothing that could be read as an
    option or as git's own revision syntax passes.
    """
    if len(name) > 255 or _REFUSED_IN_NAMES.search(name):
        raise InvalidRevisionError(
            f"{name[:80]!r} is no name of a branch, tag or commit.",
            "Give a branch such as main, or a commit's hexadecimal name.",
        )
    return name


def git_environment(protocols: str) -> dict[str, str]:
    """Return the whole environment that git gets: nothing of ours, nobody's configuration."""
    environment = {
        "PATH": os.defpath + ":/usr/local/bin",
        "HOME": pwd.getpwuid(os.getuid()).pw_dir,  # ssh finds its keys there
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_CONFIG_COUNT": str(len(_CONFIG)),
    }
    for index, (key, value) in enumerate(_CONFIG.items()):
        environment[f"GIT_CONFIG_KEY_{index}"] = key
        environment[f"GIT_CONFIG_VALUE_{index}"] = value
    return environment


def git(
    arguments: Sequence[str],
    *,
    directory: Path,
    seconds: float = 120.0,
    protocols: str = "https:ssh",
    extra_environment: Mapping[str, str] | None = None,
) -> bytes:
    """Run git by argument list in *directory* and return what it prints."""
    environment = git_environment(protocols) | dict(extra_environment or {})
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"git {arguments[0]} took longer than {seconds:.0f} s.") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-2000:]
        raise GitError(f"git {arguments[0]} failed: {said or done.returncode}")
    return done.stdout
