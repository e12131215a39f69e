"""Cells as plain Python: what IPython makes of a cell, as far as its code can be followed.

A cell may hold magics (``%matplotlib inline``), shell lines (``!ls``) and questions
(``frame?``), which no Python parser takes. They become the calls that IPython itself would
make of them, so that whoever follows the code sees what they load and run.
"""

import re

from provenance.parsing import parse

_CELL_MAGIC = re.compile(r"\s*%%(\w+)[ \t]*(.*)")
_LINE_MAGIC = re.compile(r"^(\s*)((?:[\w.,\[\] ]+=\s*)?)%(\w+)[ \t]*(.*)$")
_SHELL = re.compile(r"^(\s*)((?:[\w.,\[\] ]+=\s*)?)!(?!=)(.*)$")
_QUESTION = re.compile(r"^(\s*)(?:\?.*|[\w.]+\?{1,2}\s*)$")
_PYTHON_CELLS = frozenset({"time", "timeit", "capture", "prun"})


def plain_python(source: str) -> str:
    """Return *source* with what is IPython's own put as calls of ``get_ipython()``.

    A cell that is Python already is returned as it is.
    """
    try:
        parse(source)
    except (SyntaxError, ValueError):
        return _transformed(source)
    return source


def _transformed(source: str) -> str:
    lines = source.splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    magic = _CELL_MAGIC.match(lines[first]) if lines else None
    if magic and magic[1] not in _PYTHON_CELLS:
        rest = "\n".join(lines[first + 1 :])
        return f"get_ipython().run_cell_magic({magic[1]!r}, {magic[2]!r}, {rest!r})"
    if magic:
        lines[first] = ""
    return "\n".join(_plain(line) for line in lines)


def _plain(line: str) -> str:
    if found := _LINE_MAGIC.match(line):
        indent, target, name, rest = found.groups()
        return f"{indent}{target}get_ipython().run_line_magic({name!r}, {rest!r})"
    if found := _SHELL.match(line):
        indent, target, command = found.groups()
        call = "getoutput" if target else "system"
        return f"{indent}{target}get_ipython().{call}({command!r})"
    if found := _QUESTION.match(line):
        return f"{found[1]}pass"
    return line
