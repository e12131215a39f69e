"""Cells as plain Python: what IPython would make of a cell, as far as its imports go.

A cell may hold magics (``%matplotlib inline``), shell lines (``!ls``) and questions
(``frame?``), which no Python parser takes. They are replaced line by line, so that the code
around them can be read.
"""

import re

_CELL_MAGIC = re.compile(r"\s*%%(\w+)")
_LINE = re.compile(r"^(\s*)(?:[%!].*|\?.*|[\w.]+\?{1,2}\s*)$")
_ASSIGNED = re.compile(r"^(\s*[\w.,\[\]\s]+=\s*)[%!](?!=).*$")
_RUN = re.compile(r"^(\s*)%run\s+(?:-\w+\s+)*(\S+).*$")
_PYTHON_CELLS = frozenset({"time", "timeit", "capture", "prun", "python", "python3", "pypy"})


def plain_python(source: str) -> str:
    """Return *source* with what is IPython's own taken out.

    A script that ``%run`` names is kept as a literal of ``runpy``, so that it counts as code.
    The content of a cell in another language (``%%bash``) is dropped.
    """
    lines = source.splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is not None and (magic := _CELL_MAGIC.match(lines[first])):
        if magic[1] not in _PYTHON_CELLS:
            return ""
        lines[first] = ""
    return "\n".join(_plain(line) for line in lines)


def _plain(line: str) -> str:
    if run := _RUN.match(line):
        return f"{run[1]}import runpy; runpy.run_path({run[2]!r})"
    if assigned := _ASSIGNED.match(line):
        return f"{assigned[1]}None"
    if alone := _LINE.match(line):
        return f"{alone[1]}pass"
    return line
