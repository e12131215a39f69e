"""Commands that R starts."""

import os
import sys

_LIBRARIES = "LD_LIBRARY_PATH"


def leave_libraries_of_r() -> None:
    """Begin anew without R's folders of libraries, where this process was started by R.

    R makes all its children look for libraries in the system's folders first. If a libpython
    of another build lies there, this interpreter runs on it, and its modules do not fit.
    """
    if "R_HOME" in os.environ and _LIBRARIES in os.environ:
        apart = {name: text for name, text in os.environ.items() if name != _LIBRARIES}
        os.execve(sys.executable, sys.orig_argv, apart)  # noqa: S606 - ourselves, once more
