"""Addresses of repositories as strangers may see them."""

import re

_NAMED = re.compile(
    # The name and password before the host; then one whose password holds a slash; then the
    # short form of ssh, given a password that it has no place for.
    r"(?<=://)[^/]*@"
    r"|(?<=://)[^/:@]*:(?!\d+(?:/|$)).*@"
    r"|^[^/@:]+:(?!//)[^@]*@"
)


def without_userinfo(url: str) -> str:
    """Return *url* without the name and password that it may hold, malformed ones as well."""
    return _NAMED.sub("", url, count=1)


def is_ambiguous(url: str) -> bool:
    """Tell whether a name or password in *url* holds what ends it: it has to be written %40, %2F.

    Programs that read such an address take a part of the password for the host, and say so.
    """
    found = _NAMED.search(url)
    return found is not None and any(mark in found.group()[:-1] for mark in "@/")
